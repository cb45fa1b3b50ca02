#ifndef HOSTCALL_H
#define HOSTCALL_H
#include "quickjs.h"

/* Calls a function of the host with these arguments; its answer, or an exception with what it refused. */
JSValue host_call(JSContext *ctx, const char *name, int argc, JSValueConst *argv);
/* Adds the host's functions to an object that scripts cannot reach: call, random, utf8, compile, elapsed, timeOrigin. */
void hostcall_add(JSContext *ctx, JSValueConst host);
/* A fraction from 0 to below 1, from the operating system's randomness. */
double random_fraction(void);

#endif
