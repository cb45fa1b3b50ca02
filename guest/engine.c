/* The engine itself, and the few doors into its insides that its public face lacks. */

/* Threads off: cutils.h decides it by the platform, and this one it knows only under this name. */
#define EMSCRIPTEN 1
#include "cutils.h"
#include "list.h"
#include "quickjs-c-atomics.h"

/* Atomics stay in the language. There is one thread, so locks are nothing, and Atomics.wait throws before it blocks. */
#define CONFIG_ATOMICS 1
typedef int js_mutex_t;
typedef int js_cond_t;
typedef int js_once_t;
#define JS_ONCE_INIT 0
static inline void js_once(js_once_t *done, void (*run)(void)) { if (!*done) { *done = 1; run(); } }
static inline void js_mutex_init(js_mutex_t *mutex) {}
static inline void js_mutex_destroy(js_mutex_t *mutex) {}
static inline void js_mutex_lock(js_mutex_t *mutex) {}
static inline void js_mutex_unlock(js_mutex_t *mutex) {}
static inline void js_cond_init(js_cond_t *cond) {}
static inline void js_cond_destroy(js_cond_t *cond) {}
static inline void js_cond_signal(js_cond_t *cond) {}
static inline void js_cond_broadcast(js_cond_t *cond) {}
static inline void js_cond_wait(js_cond_t *cond, js_mutex_t *mutex) { __builtin_trap(); }
static inline int js_cond_timedwait(js_cond_t *cond, js_mutex_t *mutex, uint64_t timeout) { return -1; }

/* Under that name quickjs.c would give up direct dispatch, which is worth a fifth of the interpreter's speed. */
#undef EMSCRIPTEN
#include "patched.c" /* quickjs.c, with what build.rs changes in it */

#include "engine.h"

void engine_forget_redeclared(JSContext *ctx, JSValueConst script)
{
    enum { NAMES_AHEAD = 6 }; /* opcode, atom, flags: a script checks all the names it declares before anything else */
    JSFunctionBytecode *code = JS_VALUE_GET_PTR(script);
    JSObject *lexicals = JS_VALUE_GET_OBJ(ctx->global_var_obj);
    const uint8_t *at = code->byte_code_buf, *end = at + code->byte_code_len;
    for (; at + NAMES_AHEAD <= end && *at == OP_check_define_var; at += NAMES_AHEAD) {
        JSAtom name = get_u32(at + 1);
        if (find_own_property1(lexicals, name))
            delete_property(ctx, lexicals, name);
    }
}

void engine_drop_jobs(JSRuntime *rt)
{
    struct list_head *at, *next;
    list_for_each_safe(at, next, &rt->job_list) {
        JSJobEntry *job = list_entry(at, JSJobEntry, link);
        list_del(&job->link);
        for (int i = 0; i < job->argc; i++)
            JS_FreeValueRT(rt, job->argv[i]);
        js_free_rt(rt, job);
    }
}

static void forget_module(JSContext *ctx, JSModuleDef *module)
{
    JS_FreeAtom(ctx, module->module_name);
    module->module_name = JS_ATOM_empty_string; /* no path is empty */
}

void engine_forget_module(JSContext *ctx, const char *name)
{
    JSAtom wanted = JS_NewAtom(ctx, name);
    struct list_head *at;
    list_for_each(at, &ctx->loaded_modules) {
        JSModuleDef *module = list_entry(at, JSModuleDef, link);
        if (module->module_name == wanted)
            forget_module(ctx, module);
    }
    JS_FreeAtom(ctx, wanted);
}

void engine_forget_failed_modules(JSContext *ctx)
{
    struct list_head *at;
    list_for_each(at, &ctx->loaded_modules) {
        JSModuleDef *module = list_entry(at, JSModuleDef, link);
        int threw = module->status == JS_MODULE_STATUS_EVALUATED && module->eval_has_exception;
        if (threw || module->status == JS_MODULE_STATUS_UNLINKED || module->status == JS_MODULE_STATUS_LINKED)
            forget_module(ctx, module);
    }
}

const char *engine_function_kind(JSValueConst function)
{
    JSObject *object = JS_VALUE_GET_OBJ(function);
    if (!js_class_has_bytecode(object->class_id))
        return "function";
    JSFunctionBytecode *code = object->u.func.function_bytecode;
    /* a method's source may begin with its name `class`, but a method is no constructor */
    if (object->is_constructor && code->source && !strncmp(code->source, "class", 5))
        return "class";
    switch (code->func_kind) {
    case JS_FUNC_GENERATOR: return "generator";
    case JS_FUNC_ASYNC: return "async";
    case JS_FUNC_ASYNC_GENERATOR: return "asyncgenerator";
    default: return "function";
    }
}
