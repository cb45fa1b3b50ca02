#ifndef TIMERS_H
#define TIMERS_H
#include <stdint.h>
#include "quickjs.h"

/* Adds setTimeout, setInterval, setImmediate, clearTimeout, clearInterval and clearImmediate. */
void timers_init(JSContext *ctx);
/* Microseconds until the next timer is due (0: now), or -1 where there is none. */
int64_t timers_wait(void);
/* Takes the first due timer's turn; what its callback returned, or JS_UNINITIALIZED where none is due. */
JSValue timers_run_one(JSContext *ctx);
/* Forgets all timers. */
void timers_drop(JSContext *ctx);

#endif
