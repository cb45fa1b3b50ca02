/* The globals of the scripts' realm that are written in JavaScript, and what they share with the rest of the guest. */
#include "hostcall.h"
#include "prelude.h"
#include "prelude.js.h"
#include "reflect.h"

static JSValue functions;
/* How many operations the host has been asked to begin and has not ended. */
static uint32_t waiting;

static JSValue set_waiting(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    return JS_ToUint32(ctx, &waiting, argv[0]) ? JS_EXCEPTION : JS_UNDEFINED;
}

static JSValue get_waiting(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    return JS_NewUint32(ctx, waiting);
}

static JSValue call_own(JSContext *ctx, const char *name, int argc, JSValueConst *argv)
{
    JSValue function = JS_GetPropertyStr(ctx, functions, name);
    JSValue result = JS_Call(ctx, function, JS_UNDEFINED, argc, argv);
    JS_FreeValue(ctx, function);
    return result;
}

/* What calls it decides what a relative path is relative to. */
static JSValue require(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    JSAtom name = JS_GetScriptOrModuleName(ctx, 1);
    JSValue from = name == JS_ATOM_NULL ? JS_NewString(ctx, "") : JS_AtomToString(ctx, name);
    JSValue result = call_own(ctx, "require", 2, (JSValueConst[]){ from, argv[0] });
    JS_FreeValue(ctx, from);
    JS_FreeAtom(ctx, name);
    return result;
}

void prelude_configure(JSContext *ctx, const char *json, size_t size)
{
    JSValue configuration = JS_ParseJSON(ctx, json, size, "<configuration>");
    JS_FreeValue(ctx, call_own(ctx, "configure", 1, (JSValueConst *)&configuration));
    JS_FreeValue(ctx, configuration);
}

JSValue prelude_load_library(JSContext *ctx, const char *source, size_t size, const char *name, const char *global)
{
    JSValue argv[] = { JS_NewStringLen(ctx, source, size), JS_NewString(ctx, name), JS_NewString(ctx, global) };
    JSValue result = call_own(ctx, "loadLibrary", 3, (JSValueConst *)argv);
    for (int i = 0; i < 3; i++)
        JS_FreeValue(ctx, argv[i]);
    return result;
}

int prelude_settle(JSContext *ctx)
{
    if (!waiting)
        return 0;
    JSValue settled = call_own(ctx, "settle", 0, NULL);
    int any = JS_ToBool(ctx, settled) > 0;
    JS_FreeValue(ctx, settled);
    return any;
}

int prelude_waits(void)
{
    return waiting > 0;
}

void prelude_forget(void)
{
    waiting = 0;
}

int prelude_init(JSContext *ctx)
{
    JSValue host = JS_NewObject(ctx), global = JS_GetGlobalObject(ctx);
    hostcall_add(ctx, host);
    reflect_add(ctx, host);
    add_function(ctx, host, "setWaiting", set_waiting);
    add_function(ctx, host, "waiting", get_waiting);
    JSValue make = JS_Eval(ctx, PRELUDE_JS, sizeof PRELUDE_JS - 1, "prelude.js", JS_EVAL_TYPE_GLOBAL);
    functions = JS_Call(ctx, make, JS_UNDEFINED, 1, (JSValueConst *)&host);
    JS_DefinePropertyValueStr(ctx, global, "require", JS_NewCFunction(ctx, require, "require", 1),
                              JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_FreeValue(ctx, make);
    JS_FreeValue(ctx, host);
    JS_FreeValue(ctx, global);
    return JS_IsObject(functions) ? 0 : -1;
}
