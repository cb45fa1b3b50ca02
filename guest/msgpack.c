/* MessagePack: a small, self-describing form that both sides read without a schema.
 *
 * Numbers without a fraction travel as integers, so that the host can tell 1 from 1.5; bytes are a Uint8Array. */
#include <math.h>
#include <string.h>
#include "msgpack.h"

enum { MAX_DEPTH = 64 };
enum {
    NIL = 0xc0, FALSE_ = 0xc2, TRUE_ = 0xc3, BIN32 = 0xc6, FLOAT64 = 0xcb, UINT64 = 0xcf, INT64 = 0xd3, STR32 = 0xdb,
    ARRAY32 = 0xdd, MAP32 = 0xdf,
};

typedef struct { JSContext *ctx; uint8_t *bytes; size_t size, room; } Writer;

static int encode(Writer *out, JSValueConst value, int depth);

static uint8_t *extend(Writer *out, size_t size)
{
    if (size > out->room - out->size) {
        size_t room = 2 * out->room + size + 64;
        uint8_t *grown = js_realloc(out->ctx, out->bytes, room);
        if (!grown)
            return NULL;
        out->bytes = grown;
        out->room = room;
    }
    uint8_t *at = out->bytes + out->size;
    out->size += size;
    return at;
}

static int put_number(Writer *out, int tag, uint64_t number, int width)
{
    uint8_t *at = extend(out, 1 + width);
    if (!at)
        return -1;
    *at = tag;
    for (int i = 0; i < width; i++)
        at[1 + i] = number >> 8 * (width - 1 - i);
    return 0;
}

static int put_bytes(Writer *out, int tag, const void *bytes, size_t size)
{
    uint8_t *at = put_number(out, tag, size, 4) ? NULL : extend(out, size);
    if (!at)
        return -1;
    memcpy(at, bytes, size);
    return 0;
}

/* A lone surrogate has no UTF-8 form and becomes U+FFFD, which is as long. */
static void replace_surrogates(uint8_t *text, size_t size)
{
    for (size_t i = 0; i + 2 < size; i++)
        if (text[i] == 0xed && text[i + 1] >= 0xa0)
            memcpy(text + i, "\xef\xbf\xbd", 3);
}

static int put_string(Writer *out, JSValueConst value)
{
    size_t size;
    const char *text = JS_ToCStringLen(out->ctx, &size, value);
    if (!text)
        return -1;
    int failed = put_bytes(out, STR32, text, size);
    JS_FreeCString(out->ctx, text);
    if (!failed)
        replace_surrogates(out->bytes + out->size - size, size);
    return failed;
}

static int put_double(Writer *out, double number)
{
    uint64_t bits;
    if (number == trunc(number) && fabs(number) <= 9007199254740992.0 && !(number == 0 && signbit(number)))
        return put_number(out, INT64, (uint64_t)(int64_t)number, 8);
    memcpy(&bits, &number, sizeof bits);
    return put_number(out, FLOAT64, bits, 8);
}

static int put_bigint(Writer *out, JSValueConst value)
{
    int64_t number;
    if (JS_ToBigInt64(out->ctx, &number, value))
        return -1;
    JSValue back = JS_NewBigInt64(out->ctx, number);
    int fits = JS_IsStrictEqual(out->ctx, back, value);
    JS_FreeValue(out->ctx, back);
    if (fits)
        return put_number(out, INT64, number, 8);
    JS_ThrowRangeError(out->ctx, "a BigInt beyond 64 bits cannot be passed to the host");
    return -1;
}

static int put_array(Writer *out, JSValueConst value, int depth)
{
    int64_t length;
    if (JS_GetLength(out->ctx, value, &length))
        return -1;
    if (length > UINT32_MAX) {
        JS_ThrowRangeError(out->ctx, "an array of %lld items cannot be passed to the host", (long long)length);
        return -1;
    }
    if (put_number(out, ARRAY32, length, 4))
        return -1;
    for (int64_t i = 0; i < length; i++) {
        JSValue item = JS_GetPropertyInt64(out->ctx, value, i);
        int failed = JS_IsException(item) || encode(out, item, depth);
        JS_FreeValue(out->ctx, item);
        if (failed)
            return -1;
    }
    return 0;
}

static int put_property(Writer *out, JSValueConst object, JSAtom name, int depth)
{
    JSValue key = JS_AtomToString(out->ctx, name), value = JS_GetProperty(out->ctx, object, name);
    int failed = JS_IsException(key) || JS_IsException(value) || put_string(out, key) || encode(out, value, depth);
    JS_FreeValue(out->ctx, key);
    JS_FreeValue(out->ctx, value);
    return failed;
}

static int put_object(Writer *out, JSValueConst value, int depth)
{
    JSPropertyEnum *names;
    uint32_t count, i = 0;
    if (JS_GetOwnPropertyNames(out->ctx, &names, &count, value, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY))
        return -1;
    int failed = put_number(out, MAP32, count, 4);
    while (!failed && i < count)
        failed = put_property(out, value, names[i++].atom, depth);
    JS_FreePropertyEnum(out->ctx, names, count);
    return failed;
}

/* The bytes of an ArrayBuffer or of a view of one. */
static int put_buffer(Writer *out, JSValueConst value)
{
    size_t size, offset = 0, length;
    JSValue buffer = JS_IsArrayBuffer(value) ? JS_DupValue(out->ctx, value)
                                             : JS_GetTypedArrayBuffer(out->ctx, value, &offset, &length, NULL);
    if (JS_IsException(buffer))
        return -1;
    uint8_t *bytes = JS_GetArrayBuffer(out->ctx, &size, buffer);
    JS_FreeValue(out->ctx, buffer);
    if (!bytes)
        return -1;
    return put_bytes(out, BIN32, bytes + offset, JS_IsArrayBuffer(value) ? size : length);
}

static int put_date(Writer *out, JSValueConst value)
{
    JSAtom name = JS_NewAtom(out->ctx, "toISOString");
    JSValue text = JS_Invoke(out->ctx, value, name, 0, NULL);
    JS_FreeAtom(out->ctx, name);
    int failed = JS_IsException(text) || put_string(out, text);
    JS_FreeValue(out->ctx, text);
    return failed;
}

static int encode(Writer *out, JSValueConst value, int depth)
{
    JSContext *ctx = out->ctx;
    double number;
    if (JS_IsUndefined(value) || JS_IsNull(value))
        return put_number(out, NIL, 0, 0);
    if (JS_IsBool(value))
        return put_number(out, JS_ToBool(ctx, value) ? TRUE_ : FALSE_, 0, 0);
    if (JS_IsNumber(value))
        return JS_ToFloat64(ctx, &number, value) || put_double(out, number);
    if (JS_IsBigInt(value))
        return put_bigint(out, value);
    if (JS_IsString(value))
        return put_string(out, value);
    if (!JS_IsObject(value) || JS_IsFunction(ctx, value)) {
        JS_ThrowTypeError(ctx, "a %s cannot be passed to the host", JS_IsSymbol(value) ? "symbol" : "function");
        return -1;
    }
    if (depth == MAX_DEPTH) {
        JS_ThrowRangeError(ctx, "a value nested deeper than %d levels cannot be passed to the host", MAX_DEPTH);
        return -1;
    }
    if (JS_IsArrayBuffer(value) || JS_GetTypedArrayType(value) >= 0)
        return put_buffer(out, value);
    if (JS_IsDate(value))
        return put_date(out, value);
    return JS_IsArray(value) ? put_array(out, value, depth + 1) : put_object(out, value, depth + 1);
}

uint8_t *msgpack_encode_list(JSContext *ctx, int count, JSValueConst *values, size_t *size)
{
    Writer out = { ctx };
    int failed = put_number(&out, ARRAY32, count, 4);
    for (int i = 0; i < count && !failed; i++)
        failed = encode(&out, values[i], 0);
    if (failed) {
        js_free(ctx, out.bytes);
        return NULL;
    }
    *size = out.size;
    return out.bytes;
}

typedef struct { JSContext *ctx; const uint8_t *at, *end; } Reader;

static JSValue decode(Reader *in, int depth);

/* A big-endian number; 0 where the encoding ends too early, which the host's does not. */
static uint64_t get_number(Reader *in, int width)
{
    uint64_t number = 0;
    if (in->end - in->at < width) {
        in->at = in->end;
        return 0;
    }
    while (width--)
        number = number << 8 | *in->at++;
    return number;
}

static const uint8_t *get_bytes(Reader *in, size_t *size)
{
    const uint8_t *bytes = in->at;
    if (*size > (size_t)(in->end - in->at))
        *size = in->end - in->at;
    in->at += *size;
    return bytes;
}

static JSValue get_string(Reader *in, size_t size)
{
    const char *text = (const char *)get_bytes(in, &size);
    return JS_NewStringLen(in->ctx, text, size);
}

static JSValue get_bin(Reader *in, size_t size)
{
    const uint8_t *bytes = get_bytes(in, &size);
    return JS_NewUint8ArrayCopy(in->ctx, bytes, size);
}

static JSValue get_array(Reader *in, uint32_t count, int depth)
{
    JSValue list = JS_NewArray(in->ctx);
    for (uint32_t i = 0; i < count && in->at < in->end && !JS_IsException(list); i++) {
        if (JS_DefinePropertyValueUint32(in->ctx, list, i, decode(in, depth), JS_PROP_C_W_E) < 0) {
            JS_FreeValue(in->ctx, list);
            list = JS_EXCEPTION;
        }
    }
    return list;
}

static JSValue get_map(Reader *in, uint32_t count, int depth)
{
    JSValue map = JS_NewObject(in->ctx);
    for (uint32_t i = 0; i < count && in->at < in->end && !JS_IsException(map); i++) {
        JSValue key = decode(in, depth);
        JSAtom name = JS_ValueToAtom(in->ctx, key);
        JS_FreeValue(in->ctx, key);
        /* defined, not set: a column called __proto__ is a column */
        if (JS_DefinePropertyValue(in->ctx, map, name, decode(in, depth), JS_PROP_C_W_E) < 0) {
            JS_FreeValue(in->ctx, map);
            map = JS_EXCEPTION;
        }
        JS_FreeAtom(in->ctx, name);
    }
    return map;
}

static JSValue new_integer(JSContext *ctx, int64_t number)
{
    int is_safe = number >= -9007199254740992 && number <= 9007199254740992;
    return is_safe ? JS_NewInt64(ctx, number) : JS_NewBigInt64(ctx, number);
}

static JSValue get_unsigned(Reader *in, int width)
{
    uint64_t number = get_number(in, width);
    return number > INT64_MAX ? JS_NewBigUint64(in->ctx, number) : new_integer(in->ctx, number);
}

static JSValue get_signed(Reader *in, int width)
{
    int spare = 64 - 8 * width;
    return new_integer(in->ctx, (int64_t)(get_number(in, width) << spare) >> spare);
}

static JSValue get_float(Reader *in, int width)
{
    uint64_t bits = get_number(in, width);
    uint32_t half = bits;
    float single;
    double number;
    memcpy(&single, &half, sizeof single);
    memcpy(&number, &bits, sizeof number);
    return JS_NewFloat64(in->ctx, width == 4 ? single : number);
}

static JSValue decode(Reader *in, int depth)
{
    int tag = get_number(in, 1);
    if (depth == MAX_DEPTH)
        return JS_ThrowRangeError(in->ctx, "the host's answer is nested too deeply");
    if (tag <= 0x7f)
        return JS_NewInt32(in->ctx, tag);
    if (tag <= 0x8f)
        return get_map(in, tag & 0x0f, depth + 1);
    if (tag <= 0x9f)
        return get_array(in, tag & 0x0f, depth + 1);
    if (tag <= 0xbf)
        return get_string(in, tag & 0x1f);
    if (tag >= 0xe0)
        return JS_NewInt32(in->ctx, (int8_t)tag);
    switch (tag) {
    case NIL: return JS_NULL;
    case FALSE_: return JS_FALSE;
    case TRUE_: return JS_TRUE;
    case 0xc4: case 0xc5: case BIN32: return get_bin(in, get_number(in, 1 << (tag - 0xc4)));
    case 0xca: case FLOAT64: return get_float(in, 4 << (tag - 0xca));
    case 0xcc: case 0xcd: case 0xce: case UINT64: return get_unsigned(in, 1 << (tag - 0xcc));
    case 0xd0: case 0xd1: case 0xd2: case INT64: return get_signed(in, 1 << (tag - 0xd0));
    case 0xd9: case 0xda: case STR32: return get_string(in, get_number(in, 1 << (tag - 0xd9)));
    case 0xdc: case ARRAY32: return get_array(in, get_number(in, 2 << (tag - 0xdc)), depth + 1);
    case 0xde: case MAP32: return get_map(in, get_number(in, 2 << (tag - 0xde)), depth + 1);
    default: return JS_ThrowTypeError(in->ctx, "the host's answer cannot be read");
    }
}

JSValue msgpack_decode(JSContext *ctx, const uint8_t *bytes, size_t size)
{
    Reader in = { ctx, bytes, bytes + size };
    if (size == 0 || bytes[0] == NIL)
        return JS_UNDEFINED;
    return decode(&in, 0);
}
