/* The properties and items of an object, bounded. */

const MAX_ITEMS = 100, MAX_KEYS = 1000, MAX_TEXT = 1 << 18;

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
