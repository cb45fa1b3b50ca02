#ifndef REFLECT_H
#define REFLECT_H
#include "quickjs.h"

/* Adds what JavaScript cannot ask of a value by itself: classOf, promiseState, proxyTarget, functionKind. */
void reflect_add(JSContext *ctx, JSValueConst host);
/* A function of one argument as a property. */
void add_function(JSContext *ctx, JSValueConst object, const char *name, JSCFunction *function);

#endif
