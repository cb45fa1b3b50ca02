/* What JavaScript cannot ask of a value by itself. */
#include "engine.h"
#include "reflect.h"

static JSValue class_of(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    if (JS_IsProxy(argv[0]))
        return JS_NewString(ctx, "Proxy");
    if (JS_IsFunction(ctx, argv[0]))
        return JS_NewString(ctx, "Function");
    JSAtom name = JS_GetClassName(JS_GetRuntime(ctx), JS_GetClassID(argv[0]));
    JSValue text = JS_AtomToString(ctx, name);
    JS_FreeAtom(ctx, name);
    return text;
}

static JSValue promise_state(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    static const char *const names[] = { "pending", "fulfilled", "rejected" };
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    JSValue list = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, list, 0, JS_NewString(ctx, names[state - JS_PROMISE_PENDING]));
    if (state != JS_PROMISE_PENDING)
        JS_SetPropertyUint32(ctx, list, 1, JS_PromiseResult(ctx, argv[0]));
    return list;
}

static JSValue proxy_target(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    JSValue target = JS_GetProxyTarget(ctx, argv[0]);
    if (!JS_IsException(target))
        return target;
    JS_FreeValue(ctx, JS_GetException(ctx)); /* revoked */
    return JS_NULL;
}

static JSValue function_kind(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    return JS_NewString(ctx, engine_function_kind(argv[0]));
}

void add_function(JSContext *ctx, JSValueConst object, const char *name, JSCFunction *function)
{
    JS_SetPropertyStr(ctx, object, name, JS_NewCFunction(ctx, function, name, 1));
}

void reflect_add(JSContext *ctx, JSValueConst host)
{
    add_function(ctx, host, "classOf", class_of);
    add_function(ctx, host, "promiseState", promise_state);
    add_function(ctx, host, "proxyTarget", proxy_target);
    add_function(ctx, host, "functionKind", function_kind);
}
