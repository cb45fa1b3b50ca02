/* Values and exceptions, as they are reported. */

const MAX_JSON_ITEMS = 1e7, ERROR_STACK = Object.getOwnPropertyDescriptor(Error.prototype, "stack")?.get;

function typeOf(value) {
    if (value === null) return "null";
    if (typeof value !== "object") return typeof value;
    const target = throughProxies(value);
    return target !== null && host.classOf(target) === "Array" ? "array" : "object";
}

function hasJson(type, value) {
    if (type === "number") return Number.isFinite(value);
    // the text of a longer array, sparse ones included, would fill the memory before it exceeds the output limit
    if (type === "array") return !(dataProperty(throughProxies(value), "length") > MAX_JSON_ITEMS);
    return type !== "function";
}

/* A lone surrogate, which JSON.stringify writes as an escape that strict readers refuse, becomes U+FFFD as in all texts. */
function wellFormed(text) {
    if (!text?.includes("\\ud")) return text;
    return text.replace(/\\(?:ud[89a-f]..|[^])/g, escape => escape.startsWith("\\ud") ? "\ufffd" : escape);
}

/* [type, preview, JSON form where there is one] */
function describe(value) {
    const type = typeOf(value);
    const preview = type === "string" ? value.toWellFormed() : inspect(value);
    return [type, preview, hasJson(type, value) ? wellFormed(json(value)) : undefined];
}

/* The prelude's own frames tell a script's author nothing. */
const OWN_FRAME = /^ *at .*\(prelude\.js:\d+:\d+\)\n?|^ *at hostCall \(native\)\n?/gm;

function stackOf(error) {
    try {
        const stack = host.classOf(error) === "Error" && ERROR_STACK ? ERROR_STACK.call(error) : dataProperty(error, "stack");
        const shown = typeof stack === "string" ? stack.replace(OWN_FRAME, "").trimEnd() : "";
        return shown.trim() === "" ? undefined : shown;
    } catch {
        return undefined;
    }
}

/* `name` and `message`, which a DOMException keeps inside and answers by getters of its own. */
function errorField(error, key) {
    if (host.classOf(error) !== "DOMException") return dataProperty(error, key);
    return Object.getOwnPropertyDescriptor(DOMException.prototype, key).get.call(error);
}

const isError = value => isObject(value) && ["Error", "DOMException"].includes(host.classOf(value));

/* [message, stack where there is one] of something thrown */
function describeError(value) {
    if (typeof value === "string") return [value, undefined];
    if (!isError(value)) return [inspect(value), undefined];
    const name = errorField(value, "name"), message = errorField(value, "message");
    const shownName = name === undefined ? "Error" : isObject(name) ? inspect(name, 0) : String(name);
    const shownMessage = message === undefined ? "" : isObject(message) ? inspect(message, 0) : String(message);
    const text = shownMessage === "" ? shownName : shownName === "" ? shownMessage : `${shownName}: ${shownMessage}`;
    return [text, stackOf(value)];
}
