/* Values on their way to the host and back, as MessagePack. */
#ifndef MSGPACK_H
#define MSGPACK_H
#include "quickjs.h"

/* These values as one encoded array, to be freed with js_free; null, with an exception, where they cannot be encoded. */
uint8_t *msgpack_encode_list(JSContext *ctx, int count, JSValueConst *values, size_t *size);
/* The value of an encoding that the host made; nil is undefined at the top and null inside. */
JSValue msgpack_decode(JSContext *ctx, const uint8_t *bytes, size_t size);

#endif
