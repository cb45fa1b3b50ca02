/* `console`, values and exceptions on their way to the host.
 *
 * How a value looks is decided by inspect/ in a realm of its own: scripts cannot reach its Array.prototype or JSON, so
 * nothing they do to theirs can break or fool the recorder. */
#include <string.h>
#include "host.h"
#include "inspect.js.h"
#include "reflect.h"
#include "report.h"

static JSContext *system_realm;
static JSValue format_arguments, describe_value, describe_error;

/* A JavaScript string as the host takes it; `text` is null where the value is no string. */
typedef struct { const char *text; size_t size; } Text;

static Text text_of(JSValueConst value)
{
    Text text = { NULL, 0 };
    if (JS_IsString(value))
        text.text = JS_ToCStringLen(system_realm, &text.size, value);
    return text;
}

static void forget_exception(JSContext *ctx)
{
    JS_FreeValue(ctx, JS_GetException(ctx));
}

static void report(uint32_t kind, JSValueConst a, JSValueConst b, JSValueConst c)
{
    Text x = text_of(a), y = text_of(b), z = text_of(c);
    host_report(kind, x.text, x.size, y.text, y.size, z.text, z.size);
    JS_FreeCString(system_realm, x.text);
    JS_FreeCString(system_realm, y.text);
    JS_FreeCString(system_realm, z.text);
}

/* Calls a function of inspect/. Where even that fails (the stack is exhausted, say), a word that says so. */
static JSValue inspect(JSValueConst function, JSValueConst argument)
{
    JSValue result = JS_Call(system_realm, function, JS_UNDEFINED, 1, &argument);
    if (!JS_IsException(result))
        return result;
    forget_exception(system_realm);
    return JS_UNDEFINED;
}

static void report_list(uint32_t kind, JSValue list, const char *fallback_a, const char *fallback_b)
{
    if (!JS_IsObject(list)) {
        host_report(kind, fallback_a, strlen(fallback_a), fallback_b, fallback_b ? strlen(fallback_b) : 0, NULL, 0);
        return;
    }
    JSValue a = JS_GetPropertyUint32(system_realm, list, 0);
    JSValue b = JS_GetPropertyUint32(system_realm, list, 1);
    JSValue c = JS_GetPropertyUint32(system_realm, list, 2);
    report(kind, a, b, c);
    JS_FreeValue(system_realm, a);
    JS_FreeValue(system_realm, b);
    JS_FreeValue(system_realm, c);
    JS_FreeValue(system_realm, list);
}

void report_value(JSContext *ctx, JSValue value)
{
    report_list(REPORT_VALUE, inspect(describe_value, value), "object", "[not inspectable]");
    JS_FreeValue(ctx, value);
}

void report_exception(JSContext *ctx, JSValue thrown)
{
    report_list(REPORT_EXCEPTION, inspect(describe_error, thrown), "[not inspectable]", NULL);
    JS_FreeValue(ctx, thrown);
}

/* Short lines of texts and whole numbers take a third of the instructions without inspect/. Answers whether it is one. */
static int report_plain(int argc, JSValueConst *argv, int level)
{
    char line[512];
    size_t size = 0;
    for (int i = 0; i < argc; i++) {
        if (!JS_IsString(argv[i]) && JS_VALUE_GET_TAG(argv[i]) != JS_TAG_INT)
            return 0;
        size_t length = 0;
        const char *text = JS_ToCStringLen(system_realm, &length, argv[i]);
        int may_have_directives = i == 0 && argc > 1;
        int is_plain = text && length < sizeof line - size && !(may_have_directives && memchr(text, '%', length));
        if (is_plain) {
            memcpy(line + size, text, length);
            size += length;
            line[size++] = ' ';
        }
        JS_FreeCString(system_realm, text);
        if (!is_plain)
            return 0;
    }
    if (size == 0)
        return 0;
    host_report(level, line, size - 1, NULL, 0, NULL, 0);
    return 1;
}

static JSValue console_call(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int level)
{
    if (report_plain(argc, argv, level))
        return JS_UNDEFINED;
    JSValue list = JS_NewArray(system_realm);
    for (int i = 0; i < argc; i++)
        JS_SetPropertyUint32(system_realm, list, i, JS_DupValue(ctx, argv[i]));
    JSValue text = inspect(format_arguments, list);
    JS_FreeValue(system_realm, list);
    report(level, text, JS_UNDEFINED, JS_UNDEFINED);
    JS_FreeValue(system_realm, text);
    return JS_UNDEFINED;
}

static int load_inspector(void)
{
    JSContext *ctx = system_realm;
    JSValue host = JS_NewObject(ctx);
    reflect_add(ctx, host);
    JSValue make = JS_Eval(ctx, INSPECT_JS, sizeof INSPECT_JS - 1, "inspect.js", JS_EVAL_TYPE_GLOBAL);
    JSValue made = JS_Call(ctx, make, JS_UNDEFINED, 1, (JSValueConst *)&host);
    format_arguments = JS_GetPropertyStr(ctx, made, "format");
    describe_value = JS_GetPropertyStr(ctx, made, "describe");
    describe_error = JS_GetPropertyStr(ctx, made, "describeError");
    int ok = JS_IsFunction(ctx, format_arguments) && JS_IsFunction(ctx, describe_value)
        && JS_IsFunction(ctx, describe_error);
    JS_FreeValue(ctx, made);
    JS_FreeValue(ctx, make);
    JS_FreeValue(ctx, host);
    return ok ? 0 : -1;
}

int report_init(JSContext *user)
{
    static const char *const levels[] = { "log", "warn", "error", "info", "debug" };
    system_realm = JS_NewContext(JS_GetRuntime(user));
    /* the engine gives it to the first realm alone */
    if (!system_realm || JS_AddIntrinsicDOMException(system_realm) || load_inspector())
        return -1;
    JSValue console = JS_NewObject(user), global = JS_GetGlobalObject(user);
    for (int level = REPORT_LOG; level <= REPORT_DEBUG; level++)
        JS_SetPropertyStr(user, console, levels[level],
                          JS_NewCFunctionMagic(user, console_call, levels[level], 0, JS_CFUNC_generic_magic, level));
    JS_DefinePropertyValueStr(user, global, "console", console, JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_FreeValue(user, global);
    return 0;
}
