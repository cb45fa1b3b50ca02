/* Calls from JavaScript to the host, and what they bring back. */
#include <string.h>
#include "host.h"
#include "hostcall.h"
#include "msgpack.h"
#include "reflect.h"

/* The host's answer as a value; it waits there until it is taken. */
static JSValue take(JSContext *ctx, size_t size)
{
    uint8_t *bytes = js_malloc(ctx, size ? size : 1);
    if (!bytes)
        return JS_EXCEPTION;
    host_take(bytes);
    JSValue answer = msgpack_decode(ctx, bytes, size);
    js_free(ctx, bytes);
    return answer;
}

/* Throws an Error with the properties of `refusal`, its message among them. */
static JSValue throw_refusal(JSContext *ctx, JSValue refusal)
{
    JSPropertyEnum *names;
    uint32_t count;
    if (JS_IsException(refusal) || JS_GetOwnPropertyNames(ctx, &names, &count, refusal, JS_GPN_STRING_MASK))
        return JS_EXCEPTION;
    /* thrown once, because only that records where */
    JS_ThrowPlainError(ctx, "refused");
    JSValue error = JS_GetException(ctx);
    for (uint32_t i = 0; i < count; i++) {
        JSValue value = JS_GetProperty(ctx, refusal, names[i].atom);
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        int is_message = name && !strcmp(name, "message");
        JS_FreeCString(ctx, name);
        JS_DefinePropertyValue(ctx, error, names[i].atom, value,
                               is_message ? JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE : JS_PROP_C_W_E);
    }
    JS_FreePropertyEnum(ctx, names, count);
    JS_FreeValue(ctx, refusal);
    return JS_Throw(ctx, error);
}

JSValue host_call(JSContext *ctx, const char *name, int argc, JSValueConst *argv)
{
    size_t size;
    uint8_t *request = msgpack_encode_list(ctx, argc, argv, &size);
    if (!request)
        return JS_EXCEPTION;
    int64_t answer = host_call_out(name, strlen(name), request, size);
    js_free(ctx, request);
    return answer >= 0 ? take(ctx, answer) : throw_refusal(ctx, take(ctx, -answer - 1));
}

static JSValue call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    JSValue answer = host_call(ctx, name, argc - 1, argv + 1);
    JS_FreeCString(ctx, name);
    return answer;
}

/* Fills a Uint8Array. */
static JSValue fill_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    size_t size;
    uint8_t *bytes = JS_GetUint8Array(ctx, &size, argv[0]);
    if (!bytes)
        return JS_EXCEPTION;
    host_random(bytes, size);
    return JS_UNDEFINED;
}

double random_fraction(void)
{
    uint64_t bits;
    host_random((uint8_t *)&bits, sizeof bits);
    return (bits >> 11) * 0x1p-53;
}

/* The UTF-8 of a well-formed string. */
static JSValue utf8(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    size_t size;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    JSValue bytes = JS_NewUint8ArrayCopy(ctx, (const uint8_t *)text, size);
    JS_FreeCString(ctx, text);
    return bytes;
}

/* The value of a program: its source, and the name that stack traces and relative imports go by. */
static JSValue compile(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    size_t size;
    const char *source = JS_ToCStringLen(ctx, &size, argv[0]), *name = JS_ToCString(ctx, argv[1]);
    JSValue value = source && name ? JS_Eval(ctx, source, size, name, JS_EVAL_TYPE_GLOBAL) : JS_EXCEPTION;
    JS_FreeCString(ctx, source);
    JS_FreeCString(ctx, name);
    return value;
}

static JSValue elapsed(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    return JS_NewFloat64(ctx, host_elapsed_ms());
}

static JSValue time_origin(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    return JS_NewFloat64(ctx, host_time_origin_ms());
}

void hostcall_add(JSContext *ctx, JSValueConst host)
{
    /* named so that stack traces can leave it out */
    JS_SetPropertyStr(ctx, host, "call", JS_NewCFunction(ctx, call, "hostCall", 1));
    add_function(ctx, host, "random", fill_random);
    add_function(ctx, host, "utf8", utf8);
    add_function(ctx, host, "compile", compile);
    add_function(ctx, host, "elapsed", elapsed);
    add_function(ctx, host, "timeOrigin", time_origin);
}
