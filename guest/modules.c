/* ES modules. The host resolves and reads; a module's name is its path in the worktree. */
#include <string.h>
#include "engine.h"
#include "hostcall.h"
#include "modules.h"

static JSValue call_with_text(JSContext *ctx, const char *function, const char *text)
{
    JSValue argument = JS_NewString(ctx, text);
    JSValue answer = host_call(ctx, function, 1, (JSValueConst *)&argument);
    JS_FreeValue(ctx, argument);
    return answer;
}

/* The name of the module that `specifier` means in the module or script `importer`. */
static char *resolve(JSContext *ctx, const char *importer, const char *specifier, void *opaque)
{
    JSValue arguments[] = { JS_NewString(ctx, importer), JS_NewString(ctx, specifier) };
    JSValue answer = host_call(ctx, "modules.resolve", 2, (JSValueConst *)arguments);
    JS_FreeValue(ctx, arguments[0]);
    JS_FreeValue(ctx, arguments[1]);
    const char *text = JS_IsException(answer) ? NULL : JS_ToCString(ctx, answer);
    char *name = text ? js_strdup(ctx, text) : NULL;
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, answer);
    if (!name)
        engine_forget_failed_modules(ctx);
    return name;
}

static int set_url(JSContext *ctx, JSModuleDef *module, const char *name)
{
    JSValue url = call_with_text(ctx, "modules.url", name), meta = JS_GetImportMeta(ctx, module);
    int failed = JS_IsException(url) || JS_IsException(meta)
        || JS_DefinePropertyValueStr(ctx, meta, "url", JS_DupValue(ctx, url), JS_PROP_C_W_E) < 0;
    JS_FreeValue(ctx, url);
    JS_FreeValue(ctx, meta);
    return failed ? -1 : 0;
}

static JSValue compile(JSContext *ctx, const char *source, size_t size, const char *name)
{
    JSValue module = JS_Eval(ctx, source, size, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (!JS_IsException(module) && set_url(ctx, JS_VALUE_GET_PTR(module), name)) {
        JS_FreeValue(ctx, module);
        return JS_EXCEPTION;
    }
    return module;
}

static int export_json(JSContext *ctx, JSModuleDef *module)
{
    return JS_SetModuleExport(ctx, module, "default", JS_GetModulePrivateValue(ctx, module));
}

static JSModuleDef *load_json(JSContext *ctx, const char *source, size_t size, const char *name)
{
    JSValue value = JS_ParseJSON(ctx, source, size, name);
    JSModuleDef *module = JS_IsException(value) ? NULL : JS_NewCModule(ctx, name, export_json);
    if (!module || JS_AddModuleExport(ctx, module, "default")) {
        JS_FreeValue(ctx, value);
        return NULL;
    }
    JS_SetModulePrivateValue(ctx, module, value);
    return module;
}

static JSModuleDef *load_source(JSContext *ctx, const char *source, size_t size, const char *name)
{
    JSValue value = compile(ctx, source, size, name);
    if (JS_IsException(value))
        return NULL;
    JSModuleDef *module = JS_VALUE_GET_PTR(value);
    JS_FreeValue(ctx, value); /* the list of loaded modules keeps it */
    return module;
}

static int is_json(const char *name)
{
    size_t size = strcspn(name, "?#");
    return size >= 5 && !memcmp(name + size - 5, ".json", 5);
}

static int wants_json(JSContext *ctx, JSValueConst attributes)
{
    if (!JS_IsObject(attributes))
        return 0;
    JSValue type = JS_GetPropertyStr(ctx, attributes, "type");
    int wants = !JS_IsUndefined(type);
    JS_FreeValue(ctx, type);
    return wants;
}

static JSModuleDef *load_file(JSContext *ctx, const char *name)
{
    size_t size;
    JSValue answer = call_with_text(ctx, "modules.load", name);
    const char *source = JS_IsException(answer) ? NULL : JS_ToCStringLen(ctx, &size, answer);
    JS_FreeValue(ctx, answer);
    if (!source)
        return NULL;
    JSModuleDef *module = is_json(name) ? load_json(ctx, source, size, name) : load_source(ctx, source, size, name);
    JS_FreeCString(ctx, source);
    return module;
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque, JSValueConst attributes)
{
    JSModuleDef *module = NULL;
    if (wants_json(ctx, attributes) && !is_json(name))
        JS_ThrowTypeError(ctx, "module '%s' is no .json file, as its import says", name);
    else
        module = load_file(ctx, name);
    if (!module)
        engine_forget_failed_modules(ctx);
    return module;
}

/* `with { type: "json" }` is the one attribute that there is. */
static int check_attributes(JSContext *ctx, void *opaque, JSValueConst attributes)
{
    JSPropertyEnum *names;
    uint32_t count;
    if (JS_GetOwnPropertyNames(ctx, &names, &count, attributes, JS_GPN_STRING_MASK))
        return -1;
    int failed = 0;
    for (uint32_t i = 0; i < count && !failed; i++) {
        JSValue value = JS_GetProperty(ctx, attributes, names[i].atom);
        const char *name = JS_AtomToCString(ctx, names[i].atom), *text = JS_ToCString(ctx, value);
        if (!name || !text || strcmp(name, "type") || strcmp(text, "json")) {
            JS_ThrowTypeError(ctx, "import attribute %s: '%s' is not supported; there is only type: 'json'", name, text);
            failed = -1;
        }
        JS_FreeCString(ctx, name);
        JS_FreeCString(ctx, text);
        JS_FreeValue(ctx, value);
    }
    JS_FreePropertyEnum(ctx, names, count);
    if (failed)
        engine_forget_failed_modules(ctx);
    return failed;
}

JSValue modules_compile_main(JSContext *ctx, const char *source, size_t size, const char *name)
{
    engine_forget_module(ctx, name);
    return compile(ctx, source, size, name);
}

void modules_init(JSRuntime *rt)
{
    JS_SetModuleLoaderFunc2(rt, resolve, load, check_attributes, NULL);
}
