/* Looking at a value of the scripts' realm without calling into it: through descriptors, never through getters or traps. */

const isObject = value => value !== null && (typeof value === "object" || typeof value === "function");

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
