#ifndef MODULES_H
#define MODULES_H
#include "quickjs.h"

/* Makes `import` ask the host where files are and what they hold. */
void modules_init(JSRuntime *rt);
/* Compiles a module that the host hands in; one of the same name that ran before is nobody's any more. */
JSValue modules_compile_main(JSContext *ctx, const char *source, size_t size, const char *name);

#endif
