/* structuredClone: the HTML standard's algorithm for the kinds of object that there are here. */

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function refuseClone(value) {
    const name = typeof value === "function" ? `function ${value.name}` : typeof value === "symbol" ? String(value)
        : `#<${host.classOf(value)}>`;
    throw new DOMException(`${name} could not be cloned.`, "DataCloneError");
}

function cloneError(value, seen) {
    const own = key => Object.getOwnPropertyDescriptor(value, key)?.value;
    const copy = new (ERRORS[value.name] ?? Error)();
    seen.set(value, copy);
    copy.stack = value.stack;
    for (const key of ["message", "cause"]) {
        if (own(key) === undefined) delete copy[key];
        else Object.defineProperty(copy, key, { value: cloneValue(own(key), seen), writable: true, configurable: true });
    }
    return copy;
}

function cloneView(value, seen) {
    const buffer = cloneValue(value.buffer, seen), kind = globalThis[host.classOf(value)];
    return new kind(buffer, value.byteOffset, kind === DataView ? value.byteLength : value.length);
}

function cloneEntries(value, copy, seen) {
    seen.set(value, copy);
    for (const key of Object.keys(value))
        Object.defineProperty(copy, key, { value: cloneValue(value[key], seen), writable: true, enumerable: true, configurable: true });
    return copy;
}

function cloneObject(value, seen) {
    const kind = host.classOf(value);
    switch (kind) {
        case "Object": return cloneEntries(value, {}, seen);
        case "Array": return cloneEntries(value, new Array(value.length), seen);
        case "Date": return new Date(value.getTime());
        case "RegExp": return new RegExp(value.source, value.flags);
        case "Boolean": case "Number": case "String": case "BigInt": return Object(value.valueOf());
        case "ArrayBuffer": return value.slice();
        case "SharedArrayBuffer": return value;
        case "Error": return cloneError(value, seen);
        case "Map": {
            const copy = new Map(), entries = [...value];
            seen.set(value, copy);
            for (const [key, item] of entries) copy.set(cloneValue(key, seen), cloneValue(item, seen));
            return copy;
        }
        case "Set": {
            const copy = new Set(), items = [...value];
            seen.set(value, copy);
            for (const item of items) copy.add(cloneValue(item, seen));
            return copy;
        }
        default: return ArrayBuffer.isView(value) ? cloneView(value, seen) : refuseClone(value);
    }
}

function cloneValue(value, seen) {
    if (typeof value === "symbol" || typeof value === "function") refuseClone(value);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return seen.get(value);
    const copy = cloneObject(value, seen);
    seen.set(value, copy);
    return copy;
}

define("structuredClone", function structuredClone(value, { transfer = [] } = {}) {
    const seen = new Map(), buffers = [...transfer];
    if (buffers.some((buffer, at) => host.classOf(buffer) !== "ArrayBuffer" || buffer.detached || buffers.indexOf(buffer) !== at))
        throw new DOMException("only ArrayBuffers can be transferred, each once", "DataCloneError");
    /* a transferred buffer goes over whole, but only where everything else can be cloned */
    for (const buffer of buffers) seen.set(buffer, new ArrayBuffer(0));
    const moved = new Map();
    if (buffers.length > 0) cloneValue(value, new Map(seen));
    for (const buffer of buffers) moved.set(buffer, buffer.transfer());
    return cloneValue(value, moved);
});
