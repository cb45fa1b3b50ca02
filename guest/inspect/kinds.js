/* One kind of object each: { head, open, close, output, list } or { base }. */

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);
const typedLength = Object.getOwnPropertyDescriptor(TYPED_ARRAY, "length").get;
const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;
const sourceOf = Object.getOwnPropertyDescriptor(RegExp.prototype, "source").get;
const isTyped = name => /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/.test(name);

function inspectArray(state, value, level) {
    const length = Object.getOwnPropertyDescriptor(value, "length").value;
    const name = prefix(value, "Array", `(${length})`);
    const output = [], extra = arrayItems(state, value, length, level, output);
    const others = extraKeys(value, length);
    properties(state, value, others, level, output);
    const first = Object.getOwnPropertyDescriptor(value, 0)?.value;
    const numeric = typeof first === "number" || typeof first === "bigint";
    return { head: name === `Array(${length}) ` ? "" : name, open: "[", close: "]", output,
        list: { extra: extra + others.length, numeric } };
}

function inspectTyped(state, value, level, kind) {
    const length = typedLength.call(value), output = [];
    for (let i = 0; i < Math.min(length, MAX_ITEMS); i++) output.push(primitive(value[i]));
    const extra = more(output, length - MAX_ITEMS);
    return { head: prefix(value, kind, `(${length})`), open: "[", close: "]", output, list: { extra, numeric: true } };
}

function inspectMap(state, value, level) {
    const output = [];
    let left = 0;
    Map.prototype.forEach.call(value, (item, key) => {
        if (output.length >= MAX_ITEMS || state.spent > MAX_TEXT) return void left++;
        output.push(`${nested(state, key, level)} => ${nested(state, item, level)}`);
    });
    const size = output.length + left;
    more(output, left);
    return { head: prefix(value, "Map", `(${size})`), output: properties(state, value, enumerableKeys(value), level, output) };
}

function inspectSet(state, value, level) {
    const output = [];
    let left = 0;
    Set.prototype.forEach.call(value, item => {
        if (output.length >= MAX_ITEMS || state.spent > MAX_TEXT) return void left++;
        output.push(nested(state, item, level));
    });
    const size = output.length + left;
    more(output, left);
    return { head: prefix(value, "Set", `(${size})`), output: properties(state, value, enumerableKeys(value), level, output) };
}

function inspectPromise(state, value, level) {
    const [status, result] = host.promiseState(value);
    const output = status === "pending" ? ["<pending>"]
        : [(status === "rejected" ? "<rejected> " : "") + nested(state, result, level)];
    return { head: prefix(value, "Promise"), output: properties(state, value, enumerableKeys(value), level, output) };
}

function inspectBuffer(state, value, level, kind) {
    const size = kind === "ArrayBuffer" ? byteLength.call(value) : undefined;
    if (size === undefined) return { head: prefix(value, kind), output: [] };
    const shown = Array.from(new Uint8Array(value, 0, Math.min(50, size)), byte => byte.toString(16).padStart(2, "0"));
    const rest = size > 50 ? ` ... ${size - 50} more byte${size > 51 ? "s" : ""}` : "";
    return { head: prefix(value, kind), output: [`[Uint8Contents]: <${shown.join(" ")}${rest}>`, `byteLength: ${size}`] };
}

/* What has a text of its own, and braces only where it has properties too. */
function withBase(state, value, level, base, skip = []) {
    const keys = enumerableKeys(value).filter(key => !skip.includes(key));
    if (keys.length === 0) return { base };
    return { head: `${base} `, output: properties(state, value, keys, level, []) };
}

function inspectFunction(state, value, level) {
    const kinds = { async: "AsyncFunction", generator: "GeneratorFunction", asyncgenerator: "AsyncGeneratorFunction" };
    const kind = host.functionKind(value);
    const given = Object.getOwnPropertyDescriptor(value, "name")?.value;
    const name = typeof given === "string" && given !== "" ? given : "";
    let base;
    if (kind === "class") {
        const parent = Object.getPrototypeOf(value);
        const parentName = typeof parent === "function" && host.classOf(parent) === "Function"
            ? Object.getOwnPropertyDescriptor(parent, "name")?.value : "";
        base = `[class ${name || "(anonymous)"}${parentName ? ` extends ${parentName}` : ""}]`;
    } else {
        base = `[${kinds[kind] ?? "Function"}${name ? `: ${name}` : " (anonymous)"}]`;
    }
    return withBase(state, value, level, base);
}

function inspectError(state, value, level) {
    const [message, stack] = describeError(value);
    let base = stack === undefined ? `[${message}]` : `${message}\n${stack}`;
    if (state.indent) base = base.replaceAll("\n", `\n${" ".repeat(state.indent)}`);
    const made = withBase(state, value, level, base, ["stack", "message"]);
    for (const key of ["cause", "errors"]) {
        const descriptor = Object.getOwnPropertyDescriptor(value, key);
        if (!descriptor || descriptor.enumerable || !("value" in descriptor)) continue;
        made.output ??= [];
        made.head ??= `${base} `;
        made.output.push(`[${key}]: ${nested(state, descriptor.value, level)}`);
    }
    return made.output ? made : { base };
}

function inspectDate(state, value, level) {
    const time = Date.prototype.getTime.call(value);
    return withBase(state, value, level, Number.isNaN(time) ? "Invalid Date" : new Date(time).toISOString());
}

function inspectRegExp(state, value, level) {
    let flags = "";
    for (const [key, flag] of [["hasIndices", "d"], ["global", "g"], ["ignoreCase", "i"], ["multiline", "m"],
        ["dotAll", "s"], ["unicode", "u"], ["unicodeSets", "v"], ["sticky", "y"]]) {
        const get = Object.getOwnPropertyDescriptor(RegExp.prototype, key)?.get;
        if (get && get.call(value)) flags += flag;
    }
    return withBase(state, value, level, `/${sourceOf.call(value)}/${flags}`);
}

function inspectBoxed(state, value, level, kind) {
    const unbox = { Number, String, Boolean, Symbol, BigInt }[kind].prototype.valueOf;
    const inner = unbox.call(value);
    const keys = kind === "String" ? enumerableKeys(value).filter(key => !isIndex(key)) : enumerableKeys(value);
    const base = `[${kind}: ${primitive(inner)}]`;
    return keys.length === 0 ? { base } : { head: `${base} `, output: properties(state, value, keys, level, []) };
}

function inspectPlain(state, value, level, kind) {
    let head = kind === "Arguments" ? "[Arguments] " : prefix(value, kind);
    if (head === "Object ") head = "";
    const shown = shownState(value);
    if (host.classOf(shown) === "Array") return { head, output: inspectPairs(state, shown, level) };
    return { head, output: properties(state, shown, enumerableKeys(shown), level, []) };
}

/* The prelude's own classes keep their state private and leave here what is to be seen of it. */
function shownState(value) {
    const state = Object.getOwnPropertyDescriptor(value, Symbol.for("vm.shown"))?.value;
    return isObject(state) && host.classOf(state) !== "Proxy" ? state : value;
}

function inspectPairs(state, list, level) {
    const output = [], length = dataProperty(list, "length");
    for (let i = 0; i < Math.min(length, MAX_ITEMS); i++) {
        const pair = dataProperty(list, i);
        if (isObject(pair)) output.push(`${nested(state, dataProperty(pair, 0), level)} => ${nested(state, dataProperty(pair, 1), level)}`);
    }
    more(output, length - MAX_ITEMS);
    return output;
}

const HIDDEN = { WeakMap: "<items unknown>", WeakSet: "<items unknown>", WeakRef: "<ref>" };

function inspectObject(state, value, level) {
    const kind = host.classOf(value);
    if (kind === "Array") return inspectArray(state, value, level);
    if (kind === "Function") return inspectFunction(state, value, level);
    if (isError(value)) return inspectError(state, value, level);
    if (kind === "Map") return inspectMap(state, value, level);
    if (kind === "Set") return inspectSet(state, value, level);
    if (kind === "Promise") return inspectPromise(state, value, level);
    if (kind === "Date") return inspectDate(state, value, level);
    if (kind === "RegExp") return inspectRegExp(state, value, level);
    if (kind === "ArrayBuffer" || kind === "SharedArrayBuffer") return inspectBuffer(state, value, level, kind);
    if (isTyped(kind)) return inspectTyped(state, value, level, kind);
    if (["Number", "String", "Boolean", "Symbol", "BigInt"].includes(kind)) return inspectBoxed(state, value, level, kind);
    if (kind in HIDDEN) return { head: prefix(value, kind), output: [HIDDEN[kind]] };
    return inspectPlain(state, value, level, kind);
}
