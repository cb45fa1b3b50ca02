/* How a value looks to a person, in the manner of Node's util.inspect.
 *
 * Evaluated once in a realm of its own, out of the scripts' reach, so that plain JavaScript is safe here: no script can
 * tamper with this realm's prototypes. The values come from the scripts' realm and may be hostile. Properties are looked at
 * through their descriptors, so that getters are shown and not called, and proxies are shown as their targets, so that
 * traps stay quiet. Nothing of this realm is ever handed to a script. */
(function (host) {
    "use strict";

    const DEPTH = 2, MAX_ITEMS = 100, MAX_KEYS = 1000, MAX_STRING = 10000, MAX_TEXT = 1 << 18, MAX_JSON_ITEMS = 1e7;
    const LINE_WIDTH = 72, BREAK_WIDTH = 80, GROUP_FROM = 7;
    const IDENTIFIER = /^[a-zA-Z_$][a-zA-Z_$0-9]*$/;
    const ERROR_STACK = Object.getOwnPropertyDescriptor(Error.prototype, "stack")?.get;
    const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype);
    const typedLength = Object.getOwnPropertyDescriptor(TYPED_ARRAY, "length").get;
    const byteLength = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;
    const sourceOf = Object.getOwnPropertyDescriptor(RegExp.prototype, "source").get;

    const isObject = value => value !== null && (typeof value === "object" || typeof value === "function");
    const isTyped = name => /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/.test(name);

    /* ---- strings, keys, primitives ---- */

    const ESCAPES = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\" };

    function quote(text) {
        let mark = "'";
        if (text.includes("'")) {
            if (!text.includes('"')) mark = '"';
            else if (!text.includes("`") && !text.includes("${")) mark = "`";
        }
        const escaped = text.replace(/[\x00-\x1f\x7f-\x9f\\'"`]|\p{Surrogate}/gu, char => {
            if (char in ESCAPES) return ESCAPES[char];
            if ("'\"`".includes(char)) return char === mark ? "\\" + char : char;
            const code = char.charCodeAt(0);
            return code < 256 ? "\\x" + code.toString(16).toUpperCase().padStart(2, "0")
                : "\\u" + code.toString(16).toUpperCase();
        });
        return mark + escaped + mark;
    }

    function quoteBounded(text) {
        if (text.length <= MAX_STRING) return quote(text);
        const more = text.length - MAX_STRING;
        return quote(text.slice(0, MAX_STRING)) + `... ${more} more character${more > 1 ? "s" : ""}`;
    }

    function keyText(key) {
        if (typeof key === "symbol") return `[${String(key)}]`;
        return IDENTIFIER.test(key) ? key : quote(key);
    }

    function primitive(value) {
        switch (typeof value) {
        case "string": return quoteBounded(value);
        case "bigint": return `${value}n`;
        case "number": return Object.is(value, -0) ? "-0" : String(value);
        default: return String(value);
        }
    }

    /* ---- looking without calling ---- */

    /* The value of a data property on the object or its prototypes; accessors and proxies count as absent. */
    function dataProperty(object, key) {
        for (let at = object, hops = 0; at !== null && hops < 1000; at = Object.getPrototypeOf(at), hops++) {
            if (host.classOf(at) === "Proxy") return undefined;
            const descriptor = Object.getOwnPropertyDescriptor(at, key);
            if (descriptor) return descriptor.value;
        }
        return undefined;
    }

    function constructorName(object) {
        for (let at = object, hops = 0; at !== null && hops < 1000; at = Object.getPrototypeOf(at), hops++) {
            if (host.classOf(at) === "Proxy") return "";
            const made = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
            if (typeof made === "function" && host.classOf(made) !== "Proxy") {
                const name = Object.getOwnPropertyDescriptor(made, "name")?.value;
                if (typeof name === "string" && name !== "") return name;
            }
        }
        return null;
    }

    function tagOf(object, name) {
        // one's own is shown among the properties
        if (Object.getOwnPropertyDescriptor(object, Symbol.toStringTag)) return "";
        const tag = dataProperty(object, Symbol.toStringTag);
        return typeof tag === "string" && tag !== "" && tag !== name ? tag : "";
    }

    /* `Foo `, `[Foo(3): null prototype] `, `Object [tag] `; empty for what needs no name. */
    function prefix(object, fallback, size = "") {
        const name = constructorName(object);
        const tag = tagOf(object, name ?? fallback);
        const shownTag = tag === "" ? "" : `[${tag}] `;
        if (name === null) return `[${fallback}${size}: null prototype] ${shownTag}`;
        return `${name || fallback}${size} ${shownTag}`;
    }

    /* ---- layout ---- */

    /* Long lists of short entries in columns. */
    function group(output, extra, isNumeric) {
        const entries = output.length - extra, gap = 2, lengths = [];
        let total = 0, longest = 0;
        for (let i = 0; i < entries; i++) {
            lengths[i] = output[i].length;
            total += lengths[i] + gap;
            longest = Math.max(longest, lengths[i]);
        }
        const widest = longest + gap;
        if (!(widest * 3 + 4 < BREAK_WIDTH && (total / widest > 5 || longest <= 6))) return output;
        const bias = Math.sqrt(widest - total / output.length), biased = Math.max(widest - 3 - bias, 1);
        const columns = Math.min(Math.round(Math.sqrt(2.5 * biased * entries) / biased),
            Math.floor((BREAK_WIDTH - 4) / widest), 4 * 3, 15);
        if (columns <= 1) return output;
        const widths = [], lines = [];
        for (let column = 0; column < columns; column++) {
            let width = 0;
            for (let i = column; i < entries; i += columns) width = Math.max(width, lengths[i]);
            widths.push(width + gap);
        }
        for (let start = 0; start < entries; start += columns) {
            const end = Math.min(start + columns, entries);
            let line = "", i = start;
            for (; i < end - 1; i++) {
                const cell = `${output[i]}, `;
                line += isNumeric ? cell.padStart(widths[i - start]) : cell.padEnd(widths[i - start]);
            }
            lines.push(line + (isNumeric ? output[i].padStart(widths[i - start] - gap) : output[i]));
        }
        return lines.concat(output.slice(entries));
    }

    function lay(state, output, open, close, head, level, list) {
        const entries = output.length;
        if (list && entries >= GROUP_FROM) output = group(output, list.extra, list.numeric);
        if (output.length === entries && state.level - level < 3) {
            const length = output.reduce((sum, text) => sum + text.length, 0) + output.length;
            const start = output.length + state.indent + open.length + head.length + 10;
            if (length + start <= BREAK_WIDTH && length + output.length <= LINE_WIDTH + output.length
                && !output.some(text => text.includes("\n")))
                return `${head}${open} ${output.join(", ")} ${close}`;
        }
        const indent = `\n${" ".repeat(state.indent)}`;
        return `${head}${open}${indent}  ${output.join(`,${indent}  `)}${indent}${close}`;
    }

    /* ---- entries ---- */

    function property(state, object, key, level, bare) {
        const descriptor = Object.getOwnPropertyDescriptor(object, key);
        let text;
        if (!descriptor) text = "undefined";
        else if (descriptor.get) text = descriptor.set ? "[Getter/Setter]" : "[Getter]";
        else if (descriptor.set) text = "[Setter]";
        else text = nested(state, descriptor.value, level);
        return bare ? text : `${descriptor && !descriptor.enumerable ? `[${String(key)}]` : keyText(key)}: ${text}`;
    }

    function nested(state, value, level) {
        state.indent += 2;
        const text = show(state, value, level + 1);
        state.indent -= 2;
        return text;
    }

    function enumerableKeys(object) {
        return Reflect.ownKeys(object).filter(key => Object.getOwnPropertyDescriptor(object, key)?.enumerable);
    }

    function properties(state, object, keys, level, output) {
        for (const key of keys.slice(0, MAX_KEYS)) {
            if (state.spent > MAX_TEXT) break;
            output.push(property(state, object, key, level));
        }
        if (keys.length > MAX_KEYS) output.push(`... ${keys.length - MAX_KEYS} more keys`);
        return output;
    }

    const isIndex = key => typeof key === "string" && /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;

    /* An array's other keys are looked for only where that is cheap: a list of all its keys can be larger than itself. */
    function extraKeys(array, length) {
        return length > 10000 ? [] : enumerableKeys(array).filter(key => !isIndex(key));
    }

    function arrayItems(state, array, length, level, output) {
        let shown = 0, at = 0;
        while (at < length && shown < MAX_ITEMS) {
            if (Object.getOwnPropertyDescriptor(array, at)) {
                output.push(property(state, array, at++, level, true));
            } else {
                const end = nextPresent(array, at, length), holes = end - at;
                output.push(`<${holes} empty item${holes > 1 ? "s" : ""}>`);
                at = end;
            }
            shown++;
        }
        return more(output, length - at);
    }

    function nextPresent(array, from, length) {
        for (let at = from; at < Math.min(length, from + 1000); at++)
            if (Object.getOwnPropertyDescriptor(array, at)) return at;
        if (length <= from + 1000) return length;
        // a long hole: sparse arrays have few keys
        const next = Object.keys(array).find(key => isIndex(key) && Number(key) >= from);
        return next === undefined ? length : Number(next);
    }

    function more(output, left) {
        if (left > 0) output.push(`... ${left} more item${left > 1 ? "s" : ""}`);
        return left > 0 ? 1 : 0;
    }

    /* ---- one kind of object each: [head, braces, output, list?] ---- */

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
        return { head, output: properties(state, value, enumerableKeys(value), level, []) };
    }

    const HIDDEN = { WeakMap: "<items unknown>", WeakSet: "<items unknown>", WeakRef: "<ref>" };

    function inspectObject(state, value, level) {
        const kind = host.classOf(value);
        if (kind === "Array") return inspectArray(state, value, level);
        if (kind === "Function") return inspectFunction(state, value, level);
        if (kind === "Error") return inspectError(state, value, level);
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

    /* ---- the walk ---- */

    function shortName(value) {
        const kind = host.classOf(value);
        return kind === "Array" ? "[Array]" : `[${prefix(value, "Object").trimEnd()}]`;
    }

    function throughProxies(value) {
        for (let hops = 0; isObject(value) && host.classOf(value) === "Proxy" && hops < 1000; hops++) {
            value = host.proxyTarget(value);
            if (!isObject(value)) return null;
        }
        return value;
    }

    function show(state, value, level) {
        if (!isObject(value)) return spend(state, primitive(value));
        const target = throughProxies(value);
        if (target === null || host.classOf(target) === "Proxy") return "<Revoked Proxy>";
        if (state.path.includes(target)) {
            if (!state.circular.has(target)) state.circular.set(target, state.circular.size + 1);
            return `[Circular *${state.circular.get(target)}]`;
        }
        const isLeaf = ["Function", "Error", "Date", "RegExp"].includes(host.classOf(target));
        if (!isLeaf && (level > state.depth || state.spent > MAX_TEXT)) return spend(state, shortName(target));
        state.path.push(target);
        state.level = level;
        const made = inspectObject(state, target, level);
        state.path.pop();
        let text = made.base ?? (made.output.length === 0
            ? `${made.head}${made.open ?? "{"}${made.close ?? "}"}`
            : lay(state, made.output, made.open ?? "{", made.close ?? "}", made.head, level, made.list));
        if (state.circular.has(target)) text = `<ref *${state.circular.get(target)}> ${text}`;
        return spend(state, text);
    }

    function spend(state, text) {
        state.spent += text.length;
        return text;
    }

    function inspect(value, depth = DEPTH) {
        const state = { depth, indent: 0, level: 0, spent: 0, path: [], circular: new Map() };
        try {
            return show(state, value, 0);
        } catch {
            return "[not inspectable]";
        }
    }

    /* ---- console.log ---- */

    function json(value) {
        try {
            return JSON.stringify(value);
        } catch {
            return undefined;
        }
    }

    function toNumber(value, parse) {
        if (typeof value === "bigint") return `${value}n`;
        if (typeof value === "symbol" || isObject(value)) return "NaN";
        return primitive(parse(value));
    }

    function directive(letter, value) {
        switch (letter) {
        case "s":
            if (typeof value === "string") return value;
            return isObject(value) ? inspect(value, 0) : primitive(value);
        case "d": return toNumber(value, Number);
        case "i": return toNumber(value, parseInt);
        case "f": return typeof value === "symbol" || isObject(value) ? "NaN" : primitive(parseFloat(value));
        case "j": return json(value) ?? (isObject(value) ? "[Circular]" : "undefined");
        case "o": return inspect(value, 4);
        case "O": return inspect(value);
        default: return ""; // %c: styles have no place here
        }
    }

    function format(args) {
        let text = "", at = 0;
        if (typeof args[0] === "string") {
            at = 1;
            text = args.length === 1 ? args[0] : args[0].replace(/%([sdifjoOc%])/g, (whole, letter) => {
                if (letter === "%") return "%";
                return at < args.length ? directive(letter, args[at++]) : whole;
            });
        }
        for (; at < args.length; at++)
            text += (at > 0 ? " " : "") + (typeof args[at] === "string" ? args[at] : inspect(args[at]));
        return text;
    }

    /* ---- values and exceptions ---- */

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

    return { format, describe, describeError };
})
