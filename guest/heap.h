#ifndef HEAP_H
#define HEAP_H
#include "quickjs.h"

extern const JSMallocFunctions heap_functions;
/* Bytes in use, and how many there may be. */
extern uint32_t heap_used, heap_limit;
/* The memory is not to grow. */
extern int heap_is_fixed;

#endif
