#ifndef PRELUDE_H
#define PRELUDE_H
#include <stdint.h>
#include "quickjs.h"

/* Evaluates prelude/, which makes the globals that the language itself does not have. */
int prelude_init(JSContext *ctx);
/* Applies what a template decides about its runtimes; JSON. */
void prelude_configure(JSContext *ctx, const char *json, size_t size);
/* Runs a library, which is to end up in this global. */
JSValue prelude_load_library(JSContext *ctx, const char *source, size_t size, const char *name, const char *global);
/* Settles what the host has done meanwhile; whether it was anything. */
int prelude_settle(JSContext *ctx);
/* Whether the host is still busy with something that a script waits for. */
int prelude_waits(void);
/* Forgets what scripts wait for. */
void prelude_forget(void);

#endif
