/* setTimeout and its family. Due times are wall-clock, so that they mean the same after the session has been away. */
#include <stdlib.h>
#include <sys/time.h>
#include "timers.h"

enum { MAX_DELAY_MS = 2147483647 }; /* beyond it a delay becomes 1, as in browsers and Node */

typedef struct Timer {
    struct Timer *next; /* by due time; equal ones by creation */
    int64_t due, interval; /* microseconds; interval 0: once */
    uint32_t id;
    int argc;
    JSValue callback;
    JSValue argv[];
} Timer;

static Timer *first;
static uint32_t last_id;

static int64_t now(void)
{
    struct timeval time;
    gettimeofday(&time, NULL);
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static void insert(Timer *timer)
{
    Timer **at = &first;
    while (*at && (*at)->due <= timer->due)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

static void release(JSContext *ctx, Timer *timer)
{
    JS_FreeValue(ctx, timer->callback);
    for (int i = 0; i < timer->argc; i++)
        JS_FreeValue(ctx, timer->argv[i]);
    js_free(ctx, timer);
}

static int delay_us(JSContext *ctx, int argc, JSValueConst *argv, int64_t *out)
{
    double delay = 0;
    if (argc > 1 && JS_ToFloat64(ctx, &delay, argv[1]))
        return -1;
    if (!(delay >= 1 && delay <= MAX_DELAY_MS))
        delay = 1;
    *out = (int64_t)delay * 1000;
    return 0;
}

enum { TIMEOUT, INTERVAL, IMMEDIATE };

static JSValue set_timer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int kind)
{
    if (argc < 1 || !JS_IsFunction(ctx, argv[0]))
        return JS_ThrowTypeError(ctx, "the callback of a timer must be a function");
    int64_t delay = 0;
    if (kind != IMMEDIATE && delay_us(ctx, argc, argv, &delay))
        return JS_EXCEPTION;
    int skip = kind == IMMEDIATE ? 1 : 2, extra = argc > skip ? argc - skip : 0;
    Timer *timer = js_malloc(ctx, sizeof *timer + extra * sizeof(JSValue));
    if (!timer)
        return JS_EXCEPTION;
    timer->id = ++last_id;
    timer->due = now() + delay;
    timer->interval = kind == INTERVAL ? delay : 0;
    timer->callback = JS_DupValue(ctx, argv[0]);
    timer->argc = extra;
    for (int i = 0; i < extra; i++)
        timer->argv[i] = JS_DupValue(ctx, argv[skip + i]);
    insert(timer);
    return JS_NewUint32(ctx, timer->id);
}

static JSValue clear_timer(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    uint32_t id;
    if (argc < 1 || !JS_IsNumber(argv[0]) || JS_ToUint32(ctx, &id, argv[0]))
        return JS_UNDEFINED;
    for (Timer **at = &first; *at; at = &(*at)->next) {
        if ((*at)->id != id)
            continue;
        Timer *timer = *at;
        *at = timer->next;
        release(ctx, timer);
        break;
    }
    return JS_UNDEFINED;
}

int64_t timers_wait(void)
{
    if (!first)
        return -1;
    int64_t left = first->due - now();
    return left > 0 ? left : 0;
}

JSValue timers_run_one(JSContext *ctx)
{
    Timer *timer = first;
    if (!timer || timer->due > now())
        return JS_UNINITIALIZED;
    first = timer->next;
    JSValue callback = JS_DupValue(ctx, timer->callback), argv[timer->argc + 1];
    int argc = timer->argc;
    for (int i = 0; i < argc; i++)
        argv[i] = JS_DupValue(ctx, timer->argv[i]);
    /* Back in line before its turn, so that the callback can clear it. */
    if (timer->interval) {
        timer->due = now() + timer->interval;
        insert(timer);
    } else {
        release(ctx, timer);
    }
    JSValue result = JS_Call(ctx, callback, JS_UNDEFINED, argc, (JSValueConst *)argv);
    JS_FreeValue(ctx, callback);
    for (int i = 0; i < argc; i++)
        JS_FreeValue(ctx, argv[i]);
    return result;
}

void timers_drop(JSContext *ctx)
{
    while (first) {
        Timer *timer = first;
        first = timer->next;
        release(ctx, timer);
    }
}

void timers_init(JSContext *ctx)
{
    static const struct { const char *name; int kind; } setters[] = {
        { "setTimeout", TIMEOUT }, { "setInterval", INTERVAL }, { "setImmediate", IMMEDIATE },
    };
    static const char *const clearers[] = { "clearTimeout", "clearInterval", "clearImmediate" };
    int flags = JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE | JS_PROP_ENUMERABLE;
    JSValue global = JS_GetGlobalObject(ctx);
    for (int i = 0; i < 3; i++) {
        JSValue set = JS_NewCFunctionMagic(ctx, set_timer, setters[i].name, 2, JS_CFUNC_generic_magic, setters[i].kind);
        JS_DefinePropertyValueStr(ctx, global, setters[i].name, set, flags);
        JSValue clear = JS_NewCFunction(ctx, clear_timer, clearers[i], 1);
        JS_DefinePropertyValueStr(ctx, global, clearers[i], clear, flags);
    }
    JS_FreeValue(ctx, global);
}
