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

/* [type, preview, JSON form where there is one] */
function describe(value) {
    const type = typeOf(value);
    const preview = type === "string" ? value.toWellFormed() : inspect(value);
    return [type, preview, hasJson(type, value) ? json(value) : undefined];
}

function stackOf(error) {
    try {
        const stack = ERROR_STACK ? ERROR_STACK.call(error) : dataProperty(error, "stack");
        return typeof stack === "string" && stack.trim() !== "" ? stack.trimEnd() : undefined;
    } catch {
        return undefined;
    }
}

/* [message, stack where there is one] of something thrown */
function describeError(value) {
    if (typeof value === "string") return [value, undefined];
    if (!isObject(value) || host.classOf(value) !== "Error") return [inspect(value), undefined];
    const name = dataProperty(value, "name"), message = dataProperty(value, "message");
    const shownName = name === undefined ? "Error" : isObject(name) ? inspect(name, 0) : String(name);
    const shownMessage = message === undefined ? "" : isObject(message) ? inspect(message, 0) : String(message);
    const text = shownMessage === "" ? shownName : shownName === "" ? shownMessage : `${shownName}: ${shownMessage}`;
    return [text, stackOf(value)];
}
