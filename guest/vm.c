/* The exports: create the runtime, run a program, go on after a wait, give up.
 *
 * A program is over when its value is known and nothing is left to do: no jobs, no timers. Between two turns nothing is on
 * the stack, so the memory alone is the machine's whole state. */
#include <stdlib.h>
#include <string.h>
#include "engine.h"
#include "heap.h"
#include "host.h"
#include "hostcall.h"
#include "modules.h"
#include "prelude.h"
#include "report.h"
#include "timers.h"

enum { JS_STACK = 512 * 1024, FOR_REPL = 1, STRICT = 2, MODULE = 4, LIBRARY = 8 };
/* What a turn answers when it does not say how many microseconds to wait. */
enum { FINISHED = -1, STOPPED = -2 };
/* Until the host has done what it was asked for, which it tells by taking the next turn. */
static const int64_t A_DAY = 86400000000;

static JSRuntime *rt;
static JSContext *ctx;
/* The host writes here to stop ordinary code, and clears it. */
static volatile uint8_t stop_flag;
/* What the program came to: a promise that is not settled yet, or nothing left to report. */
static JSValue outcome = JS_UNINITIALIZED;
/* The outcome of a script with top-level await is the `value` of an object. */
static int outcome_wrapped;
/* Rejected promises that nobody has handled: [promise, reason, promise, reason, …] */
static JSValue *unhandled;
static uint32_t unhandled_count, unhandled_room;

EXPORT(vm_stop_flag) volatile uint8_t *vm_stop_flag(void)
{
    return &stop_flag;
}

static int on_interrupt(JSRuntime *runtime, void *opaque)
{
    return stop_flag;
}

static void remember_unhandled(JSValueConst promise, JSValueConst reason)
{
    if (unhandled_count == unhandled_room) {
        uint32_t room = unhandled_room ? 2 * unhandled_room : 16;
        JSValue *grown = js_realloc(ctx, unhandled, room * sizeof *unhandled);
        if (!grown)
            return;
        unhandled = grown;
        unhandled_room = room;
    }
    unhandled[unhandled_count++] = JS_DupValue(ctx, promise);
    unhandled[unhandled_count++] = JS_DupValue(ctx, reason);
}

static void forget_unhandled(JSValueConst promise)
{
    for (uint32_t i = 0; i < unhandled_count; i += 2) {
        if (!JS_IsStrictEqual(ctx, unhandled[i], promise))
            continue;
        JS_FreeValue(ctx, unhandled[i]);
        JS_FreeValue(ctx, unhandled[i + 1]);
        memmove(unhandled + i, unhandled + i + 2, (unhandled_count - i - 2) * sizeof *unhandled);
        unhandled_count -= 2;
        return;
    }
}

static void on_rejection(JSContext *c, JSValueConst promise, JSValueConst reason, bool handled, void *opaque)
{
    if (handled)
        forget_unhandled(promise);
    else
        remember_unhandled(promise, reason);
}

static void report_unhandled(void)
{
    for (uint32_t i = 0; i < unhandled_count; i += 2) {
        JS_FreeValue(ctx, unhandled[i]);
        report_exception(ctx, unhandled[i + 1]);
    }
    unhandled_count = 0;
}

static JSValue math_random(JSContext *c, JSValueConst self, int argc, JSValueConst *argv)
{
    return JS_NewFloat64(c, random_fraction());
}

/* The engine would go on from a seed of its own, the same in every session stamped from one image. */
static void init_random(JSValueConst global)
{
    JSValue math = JS_GetPropertyStr(ctx, global, "Math");
    JS_DefinePropertyValueStr(ctx, math, "random", JS_NewCFunction(ctx, math_random, "random", 0),
                              JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_FreeValue(ctx, math);
}

static void set_environment(JSValueConst global, JSValue env)
{
    JSValue process = JS_GetPropertyStr(ctx, global, "process");
    if (JS_IsObject(process))
        JS_DefinePropertyValueStr(ctx, process, "env", env, JS_PROP_C_W_E);
    else
        JS_FreeValue(ctx, env);
    JS_FreeValue(ctx, process);
}

EXPORT(vm_init) int32_t vm_init(void)
{
    rt = JS_NewRuntime2(&heap_functions, NULL);
    ctx = rt ? JS_NewContext(rt) : NULL;
    if (!ctx)
        return -1;
    JS_SetMaxStackSize(rt, JS_STACK);
    JS_SetInterruptHandler(rt, on_interrupt, NULL);
    JS_SetHostPromiseRejectionTracker(rt, on_rejection, NULL);
    JSValue global = JS_GetGlobalObject(ctx);
    init_random(global);
    timers_init(ctx);
    JS_DefinePropertyValueStr(ctx, global, "process", JS_NewObject(ctx), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    set_environment(global, JS_NewObject(ctx));
    JS_FreeValue(ctx, global);
    modules_init(rt);
    return prelude_init(ctx) || report_init(ctx);
}

EXPORT(vm_set_heap_limit) void vm_set_heap_limit(uint32_t bytes)
{
    heap_limit = bytes;
}

EXPORT(vm_configure) void vm_configure(char *json, uint32_t size)
{
    JS_UpdateStackTop(rt);
    prelude_configure(ctx, json, size);
    heap_functions.js_free(NULL, json);
}

/* `given` is JSON: {"process_env":{…}}, and for files "args":[…] and "env":{…} too; or empty. */
static void give(const char *given, uint32_t size)
{
    if (!size)
        return;
    JSValue global = JS_GetGlobalObject(ctx), all = JS_ParseJSON(ctx, given, size, "<given>");
    JSValue args = JS_GetPropertyStr(ctx, all, "args");
    if (!JS_IsUndefined(args)) {
        JS_DefinePropertyValueStr(ctx, global, "__ARGS__", args, JS_PROP_C_W_E);
        JS_DefinePropertyValueStr(ctx, global, "__ENV__", JS_GetPropertyStr(ctx, all, "env"), JS_PROP_C_W_E);
    }
    set_environment(global, JS_GetPropertyStr(ctx, all, "process_env"));
    JS_FreeValue(ctx, all);
    JS_FreeValue(ctx, global);
}

static void take_back(void)
{
    JSValue global = JS_GetGlobalObject(ctx);
    static const char *const names[] = { "__ARGS__", "__ENV__" };
    for (int i = 0; i < 2; i++) {
        JSAtom name = JS_NewAtom(ctx, names[i]);
        JS_DeleteProperty(ctx, global, name, 0);
        JS_FreeAtom(ctx, name);
    }
    set_environment(global, JS_NewObject(ctx));
    JS_FreeValue(ctx, global);
}

/* Scripts that await at the top level are compiled in another way, which costs more; so they are tried second. */
static JSValue compile(const char *source, uint32_t size, const char *name, uint32_t flags)
{
    if (flags & MODULE)
        return modules_compile_main(ctx, source, size, name);
    int how = JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY | (flags & STRICT ? JS_EVAL_FLAG_STRICT : 0);
    JSValue script = JS_Eval(ctx, source, size, name, how);
    if (!JS_IsException(script) || !memmem(source, size, "await", 5))
        return script;
    JS_FreeValue(ctx, JS_GetException(ctx));
    outcome_wrapped = 1;
    return JS_Eval(ctx, source, size, name, how | JS_EVAL_FLAG_ASYNC);
}

static void settle(JSValue value)
{
    JS_FreeValue(ctx, outcome);
    outcome = JS_UNINITIALIZED;
    report_value(ctx, value);
}

/* Reports the outcome if it is known by now. */
static void try_settle(void)
{
    while (JS_IsPromise(outcome)) {
        JSPromiseStateEnum state = JS_PromiseState(ctx, outcome);
        if (state == JS_PROMISE_PENDING)
            return;
        JSValue result = JS_PromiseResult(ctx, outcome);
        forget_unhandled(outcome);
        JS_FreeValue(ctx, outcome);
        outcome = JS_UNINITIALIZED;
        if (state == JS_PROMISE_REJECTED) {
            report_exception(ctx, result);
            return;
        }
        if (outcome_wrapped) {
            JSValue inner = JS_GetPropertyStr(ctx, result, "value");
            JS_FreeValue(ctx, result);
            result = inner;
            outcome_wrapped = 0;
        }
        outcome = result;
    }
    if (!JS_IsUninitialized(outcome))
        settle(JS_DupValue(ctx, outcome));
}

static int64_t turn(void)
{
    JSContext *job_ctx;
    for (;;) {
        int done;
        while (!stop_flag && (done = JS_ExecutePendingJob(rt, &job_ctx)))
            if (done < 0 && !stop_flag)
                report_exception(ctx, JS_GetException(ctx));
        if (stop_flag)
            return STOPPED;
        try_settle();
        if (stop_flag || JS_IsJobPending(rt) || prelude_settle(ctx))
            continue;
        JSValue result = timers_run_one(ctx);
        if (JS_IsUninitialized(result))
            break;
        if (JS_IsException(result) && !stop_flag)
            report_exception(ctx, JS_GetException(ctx));
        JS_FreeValue(ctx, result);
    }
    int64_t wait = timers_wait();
    if (wait >= 0 || prelude_waits())
        return wait >= 0 ? wait : A_DAY;
    if (!JS_IsUninitialized(outcome))
        settle(JS_DupValue(ctx, outcome));
    report_unhandled();
    take_back();
    return stop_flag ? STOPPED : FINISHED;
}

static JSValue run_program(const char *source, uint32_t size, const char *name, uint32_t flags)
{
    outcome_wrapped = 0;
    JSValue script = compile(source, size, name, flags);
    if (JS_IsException(script))
        return script;
    if (flags & FOR_REPL)
        engine_forget_redeclared(ctx, script);
    return JS_EvalFunction(ctx, script);
}

/* One buffer holds the program's name, what it is given, and its source, each ended by a NUL that its size leaves out. A
 * library is given the name of its global. */
EXPORT(vm_run) int64_t vm_run(char *buffer, uint32_t flags, uint32_t name_size, uint32_t given_size, uint32_t source_size)
{
    const char *given = buffer + name_size + 1, *source = given + given_size + 1;
    JSValue value;
    JS_UpdateStackTop(rt);
    engine_forget_failed_modules(ctx); /* their files may have been mended */
    if (flags & LIBRARY) {
        value = prelude_load_library(ctx, source, source_size, buffer, given);
    } else {
        give(given, given_size);
        value = run_program(source, source_size, buffer, flags);
    }
    heap_functions.js_free(NULL, buffer);
    if (!JS_IsException(value))
        outcome = value;
    else if (!stop_flag)
        report_exception(ctx, JS_GetException(ctx));
    return turn();
}

EXPORT(vm_resume) int64_t vm_resume(void)
{
    JS_UpdateStackTop(rt);
    return turn();
}

/* Forgets what a stopped program left to be done, so that the next one does not inherit it. */
EXPORT(vm_give_up) void vm_give_up(void)
{
    JS_UpdateStackTop(rt);
    JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeValue(ctx, outcome);
    outcome = JS_UNINITIALIZED;
    engine_drop_jobs(rt);
    timers_drop(ctx);
    prelude_forget();
    for (uint32_t i = 0; i < unhandled_count; i++)
        JS_FreeValue(ctx, unhandled[i]);
    unhandled_count = 0;
    take_back();
}
