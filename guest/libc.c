/* What wasi-libc would ask of an operating system: heap growth and local time. */
#include <stdint.h>
#include <time.h>
#include "heap.h"
#include "host.h"

enum { WASM_PAGE = 65536 };

int heap_is_fixed;

/* The heap is the memory's end; the host refuses growth beyond what the session may have. */
void *sbrk(intptr_t increment)
{
    if (increment == 0)
        return (void *)(__builtin_wasm_memory_size(0) * WASM_PAGE);
    if (heap_is_fixed || increment < 0 || increment % WASM_PAGE)
        return (void *)-1;
    uintptr_t old = __builtin_wasm_memory_grow(0, (uintptr_t)increment / WASM_PAGE);
    return old == (uintptr_t)-1 ? (void *)-1 : (void *)(old * WASM_PAGE);
}

/* QuickJS reads the fields of a UTC time and tm_gmtoff. */
struct tm *localtime_r(const time_t *restrict time, struct tm *restrict out)
{
    int32_t offset = host_utc_offset((double)*time);
    time_t local = *time + offset;
    gmtime_r(&local, out);
    out->tm_gmtoff = offset;
    return out;
}
