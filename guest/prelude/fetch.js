/* fetch: there only where a capability names hosts. The host makes the requests. */

/* Promises of requests that are on their way, by the host's number. */
const requests = new Map();

class Headers {
    #map = new Map();

    constructor(init = {}) {
        const pairs = init?.[Symbol.iterator] ? [...init] : Object.entries(init ?? {});
        for (const [name, value] of pairs) this.append(name, value);
    }

    append(name, value) {
        const key = String(name).toLowerCase(), text = String(value).trim();
        this.#map.set(key, this.#map.has(key) ? `${this.#map.get(key)}, ${text}` : text);
        show(this, Object.fromEntries(this.#map));
    }

    delete(name) {
        this.#map.delete(String(name).toLowerCase());
        show(this, Object.fromEntries(this.#map));
    }

    get(name) { return this.#map.get(String(name).toLowerCase()) ?? null; }

    has(name) { return this.#map.has(String(name).toLowerCase()); }

    set(name, value) {
        this.#map.delete(String(name).toLowerCase());
        this.append(name, value);
    }

    forEach(callback, self) {
        for (const [name, value] of this) callback.call(self, value, name, this);
    }

    entries() { return [...this.#map].sort(([a], [b]) => a < b ? -1 : 1)[Symbol.iterator](); }

    *keys() { for (const [name] of this) yield name; }

    *values() { for (const [, value] of this) yield value; }

    [Symbol.iterator]() { return this.entries(); }
}

class Response {
    #body;
    #used = false;

    constructor({ status, status_text, url, redirected, headers, body }) {
        this.#body = body;
        this.status = status;
        this.statusText = status_text;
        this.ok = status >= 200 && status < 300;
        this.url = url;
        this.redirected = redirected;
        this.headers = new Headers(headers);
    }

    get bodyUsed() { return this.#used; }

    async bytes() {
        if (this.#used) throw new TypeError("the body has been read already");
        this.#used = true;
        return this.#body;
    }

    async arrayBuffer() { return (await this.bytes()).buffer; }

    async text() { return new TextDecoder().decode(await this.bytes()); }

    async json() { return JSON.parse(await this.text()); }
}

function bodyOf(body, headers) {
    if (body === undefined || body === null) return null;
    if (typeof body !== "string" && !(body instanceof URLSearchParams)) return bytesOf(body);
    const type = typeof body === "string" ? "text/plain;charset=UTF-8" : "application/x-www-form-urlencoded;charset=UTF-8";
    if (!headers.has("content-type")) headers.set("content-type", type);
    return host.utf8(String(body).toWellFormed());
}

/* The host's answer to a request, or the signal's reason. */
function send(request, signal) {
    const id = host.call("net.fetch", request);
    /* what was stopped left its promises here */
    if (host.waiting() === 0) requests.clear();
    const { promise, resolve, reject } = Promise.withResolvers();
    const giveUp = () => {
        if (!requests.delete(id)) return;
        host.setWaiting(requests.size);
        host.call("net.cancel", id);
        reject(signal.reason);
    };
    signal?.addEventListener("abort", giveUp);
    requests.set(id, { resolve, reject });
    host.setWaiting(requests.size);
    return promise.finally(() => {
        signal?.removeEventListener("abort", giveUp);
        if (signal) settleTimer(signal);
    });
}

async function fetch(url, { method = "GET", headers = {}, body, redirect = "follow", signal } = {}) {
    signal?.throwIfAborted();
    const sent = new Headers(headers);
    const bytes = bodyOf(body, sent);
    const request = { url: String(url), method: String(method).toUpperCase(), headers: [...sent], body: bytes, redirect };
    return new Response(await send(request, signal));
}

/* Settles what has come in; whether it was anything. */
function settle() {
    const answers = host.call("net.answers");
    for (const { id, response, error } of answers) {
        const request = requests.get(id);
        requests.delete(id);
        if (error === undefined) request?.resolve(response);
        else request?.reject(Object.assign(new TypeError(error.message), { code: error.code }));
    }
    host.setWaiting(requests.size);
    return answers.length > 0;
}

function defineFetch() {
    tag(Headers, "Headers");
    tag(Response, "Response");
    tag(AbortSignal, "AbortSignal");
    tag(AbortController, "AbortController");
    define("AbortSignal", AbortSignal);
    define("AbortController", AbortController);
    define("Headers", Headers);
    define("Response", Response);
    define("fetch", fetch);
}
