/* How everything here becomes a global: as the language's own are, there but not listed. */

function define(name, value) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

/* What `inspect` shows of an object whose state is private. */
const SHOWN = Symbol.for("vm.shown");

function show(object, state) {
    Object.defineProperty(object, SHOWN, { value: state, writable: true, configurable: true, enumerable: false });
}

function tag(constructor, name) {
    Object.defineProperty(constructor.prototype, Symbol.toStringTag, { value: name, configurable: true });
    for (const key of Object.getOwnPropertyNames(constructor.prototype))
        if (key !== "constructor") Object.defineProperty(constructor.prototype, key, { enumerable: true });
}
