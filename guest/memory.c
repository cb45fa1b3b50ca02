/* memcpy, memmove and memset made of plain loads and stores.
 *
 * The compiler's own would become memory.copy and memory.fill, which wasmtime runs as host code; a session whose memory
 * is taken away in the middle of one would fault in the host and end the process instead of trapping. */
#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

typedef uint64_t __attribute__((aligned(1), may_alias)) word8;
typedef uint32_t __attribute__((aligned(1), may_alias)) word4;
typedef uint16_t __attribute__((aligned(1), may_alias)) word2;

enum { VECTOR = sizeof(v128_t), BLOCK = 4 * VECTOR };

/* Reads everything before it writes anything, so overlap does not matter. */
static void move_short(char *to, const char *from, size_t size)
{
    if (size >= 8) {
        uint64_t head = *(const word8 *)from, tail = *(const word8 *)(from + size - 8);
        *(word8 *)to = head;
        *(word8 *)(to + size - 8) = tail;
    } else if (size >= 4) {
        uint32_t head = *(const word4 *)from, tail = *(const word4 *)(from + size - 4);
        *(word4 *)to = head;
        *(word4 *)(to + size - 4) = tail;
    } else if (size >= 2) {
        uint16_t head = *(const word2 *)from, tail = *(const word2 *)(from + size - 2);
        *(word2 *)to = head;
        *(word2 *)(to + size - 2) = tail;
    } else if (size) {
        *to = *from;
    }
}

static inline void move_block(char *to, const char *from)
{
    v128_t a = wasm_v128_load(from), b = wasm_v128_load(from + VECTOR);
    v128_t c = wasm_v128_load(from + 2 * VECTOR), d = wasm_v128_load(from + 3 * VECTOR);
    wasm_v128_store(to, a);
    wasm_v128_store(to + VECTOR, b);
    wasm_v128_store(to + 2 * VECTOR, c);
    wasm_v128_store(to + 3 * VECTOR, d);
}

static void move_up(char *to, const char *from, size_t size)
{
    v128_t tail = wasm_v128_load(from + size - VECTOR);
    size_t i = 0;
    for (; i + BLOCK <= size; i += BLOCK)
        move_block(to + i, from + i);
    for (; i + VECTOR <= size; i += VECTOR)
        wasm_v128_store(to + i, wasm_v128_load(from + i));
    wasm_v128_store(to + size - VECTOR, tail);
}

static void move_down(char *to, const char *from, size_t size)
{
    v128_t head = wasm_v128_load(from);
    size_t i = size;
    for (; i >= BLOCK; i -= BLOCK)
        move_block(to + i - BLOCK, from + i - BLOCK);
    for (; i >= VECTOR; i -= VECTOR)
        wasm_v128_store(to + i - VECTOR, wasm_v128_load(from + i - VECTOR));
    wasm_v128_store(to, head);
}

void *memmove(void *to, const void *from, size_t size)
{
    if (size < VECTOR)
        move_short(to, from, size);
    else if ((uintptr_t)to - (uintptr_t)from >= size)
        move_up(to, from, size);
    else
        move_down(to, from, size);
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    return memmove(to, from, size);
}

static void fill_short(char *to, int byte, size_t size)
{
    uint64_t word = 0x0101010101010101ull * (uint8_t)byte;
    if (size >= 8) {
        *(word8 *)to = word;
        *(word8 *)(to + size - 8) = word;
    } else if (size >= 4) {
        *(word4 *)to = (uint32_t)word;
        *(word4 *)(to + size - 4) = (uint32_t)word;
    } else if (size >= 2) {
        *(word2 *)to = (uint16_t)word;
        *(word2 *)(to + size - 2) = (uint16_t)word;
    } else if (size) {
        *to = (char)byte;
    }
}

void *memset(void *start, int byte, size_t size)
{
    char *to = start;
    if (size < VECTOR) {
        fill_short(to, byte, size);
        return start;
    }
    v128_t vector = wasm_i8x16_splat((int8_t)byte);
    for (size_t i = 0; i + VECTOR <= size; i += VECTOR)
        wasm_v128_store(to + i, vector);
    wasm_v128_store(to + size - VECTOR, vector);
    return start;
}
