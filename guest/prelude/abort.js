/* AbortController and AbortSignal: how a script gives up a request. There with fetch alone. */

let abort, settleTimer;

class AbortSignal {
    #aborted = false;
    #reason;
    #listeners = new Set();
    /* Of a signal with a time limit. */
    #timer;
    /* Of a signal that follows others. */
    #followed = [];
    onabort = null;

    static {
        abort = (signal, reason = new DOMException("This operation was aborted", "AbortError")) => {
            if (signal.#aborted) return;
            signal.#aborted = true;
            signal.#reason = reason;
            const listeners = [...signal.#listeners], event = { type: "abort", target: signal };
            if (typeof signal.onabort === "function") listeners.unshift(signal.onabort);
            for (const listener of listeners) queueMicrotask(() => listener.call(signal, event));
        };
        /* What it was to bound is over: the timer is nothing to wait for. */
        settleTimer = signal => {
            clearTimeout(signal.#timer);
            signal.#followed.forEach(settleTimer);
        };
    }

    static abort(reason) {
        const signal = new AbortSignal();
        abort(signal, reason);
        return signal;
    }

    static timeout(milliseconds) {
        const signal = new AbortSignal();
        const expire = () => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError"));
        signal.#timer = setTimeout(expire, milliseconds);
        return signal;
    }

    static any(signals) {
        const any = new AbortSignal();
        any.#followed = [...signals];
        for (const signal of any.#followed) {
            if (signal.aborted) abort(any, signal.reason);
            else signal.addEventListener("abort", () => abort(any, signal.reason));
        }
        return any;
    }

    get aborted() { return this.#aborted; }

    get reason() { return this.#reason; }

    throwIfAborted() { if (this.#aborted) throw this.#reason; }

    addEventListener(type, listener) { if (type === "abort") this.#listeners.add(listener); }

    removeEventListener(type, listener) { if (type === "abort") this.#listeners.delete(listener); }
}

class AbortController {
    #signal = new AbortSignal();

    get signal() { return this.#signal; }

    abort(reason) { abort(this.#signal, reason); }
}
