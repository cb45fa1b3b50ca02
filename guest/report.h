#ifndef REPORT_H
#define REPORT_H
#include "quickjs.h"

/* Makes the realm in which values are looked at, and `console` in the scripts' realm. */
int report_init(JSContext *user);
/* Report what an execution came to, or what was thrown and not caught. They free their argument. */
void report_value(JSContext *ctx, JSValue value);
void report_exception(JSContext *ctx, JSValue thrown);

#endif
