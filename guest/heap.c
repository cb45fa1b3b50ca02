/* JavaScript's allocator. It counts what is in use, and where the session's limit is reached it ends the execution at
 * once: a script that could catch "out of memory" would go on with a full heap, and so would every later one. */
#include <stdlib.h>
#include <string.h>
#include "heap.h"
#include "host.h"

extern size_t malloc_usable_size(void *);

uint32_t heap_used, heap_limit = UINT32_MAX;

static void reserve(size_t size, size_t instead_of)
{
    if (size > heap_limit || heap_used - instead_of > heap_limit - size)
        host_memory_exhausted();
}

static void *counted(void *block)
{
    if (!block)
        host_memory_exhausted();
    heap_used += malloc_usable_size(block);
    return block;
}

static void *heap_malloc(void *opaque, size_t size)
{
    reserve(size, 0);
    return counted(malloc(size));
}

static void *heap_calloc(void *opaque, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        host_memory_exhausted();
    reserve(total, 0);
    return counted(calloc(count, size));
}

static void heap_free(void *opaque, void *block)
{
    if (!block)
        return;
    heap_used -= malloc_usable_size(block);
    free(block);
}

static void *heap_realloc(void *opaque, void *block, size_t size)
{
    size_t old = block ? malloc_usable_size(block) : 0;
    reserve(size, old);
    void *moved = realloc(block, size);
    if (!moved)
        host_memory_exhausted();
    heap_used -= old;
    return counted(moved);
}

static size_t heap_usable_size(const void *block)
{
    return malloc_usable_size((void *)block);
}

const JSMallocFunctions heap_functions = { heap_calloc, heap_malloc, heap_free, heap_realloc, heap_usable_size };

/* Room for what the host hands in; freed by the guest once it is used. */
EXPORT(vm_alloc) void *vm_alloc(uint32_t size)
{
    return heap_malloc(NULL, size ? size : 1);
}

EXPORT(vm_heap_used) uint32_t vm_heap_used(void)
{
    return heap_used;
}

/* Clears free memory of what was in it: a session is stored as what differs from zeros. */
EXPORT(vm_clear_free) void vm_clear_free(void)
{
    enum { SMALLEST = 2048 };
    typedef struct Block { struct Block *next; } Block;
    Block *blocks = NULL;
    heap_is_fixed = 1;
    for (size_t size = (size_t)1 << 31; size >= SMALLEST; size /= 2) {
        for (Block *block; (block = malloc(size)); blocks = block) {
            memset(block, 0, malloc_usable_size(block));
            block->next = blocks;
        }
    }
    while (blocks) {
        Block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
    heap_is_fixed = 0;
}
