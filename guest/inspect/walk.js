/* The walk over a value: depth, cycles, proxies, and the bound on all text together. */

const DEPTH = 2;

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
    const isLeaf = ["Function", "Error", "DOMException", "Date", "RegExp"].includes(host.classOf(target));
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
    if (!isObject(value)) return primitive(value);
    const state = { depth, indent: 0, level: 0, spent: 0, path: [], circular: new Map() };
    try {
        return show(state, value, 0);
    } catch {
        return "[not inspectable]";
    }
}
