/* What quickjs.c adds to the engine's public face. */
#ifndef ENGINE_H
#define ENGINE_H
#include "quickjs.h"

/* Removes the global let, const and class bindings that this compiled script declares anew, as browser consoles do. */
void engine_forget_redeclared(JSContext *ctx, JSValueConst script);
/* Forgets all pending jobs. */
void engine_drop_jobs(JSRuntime *rt);
/* Loaded modules of this name are not found by any import any more. */
void engine_forget_module(JSContext *ctx, const char *name);
/* The same for all that were not evaluated or threw: they are loaded anew. An import that fails leaves modules behind
 * whose own imports are not there, and the engine would go on with them. */
void engine_forget_failed_modules(JSContext *ctx);
/* "class", "function", "async", "generator" or "asyncgenerator". */
const char *engine_function_kind(JSValueConst function);

#endif
