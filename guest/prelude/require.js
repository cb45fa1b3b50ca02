/* CommonJS: `require` for configured native modules and for files of the worktree. */

/* By path for files, `native:NAME` for native modules. */
const loaded = new Map();

/* What readFileSync gives without an encoding: bytes that know how to be a text. */
class Buffer extends Uint8Array {
    toString(encoding = "utf-8") {
        if (encoding === "base64") return Uint8Array.prototype.toBase64.call(this);
        if (encoding === "hex") return Uint8Array.prototype.toHex.call(this);
        return new TextDecoder(encoding).decode(this);
    }
}

class Stats {
    constructor(stat) {
        Object.defineProperty(this, "type", { value: stat.type });
        delete stat.type;
        Object.assign(this, stat);
        for (const time of ["atime", "mtime", "ctime", "birthtime"])
            if (`${time}Ms` in this) this[time] = new Date(this[`${time}Ms`]);
    }

    isFile() { return this.type === "file"; }

    isDirectory() { return this.type === "directory"; }

    isSymbolicLink() { return this.type === "symlink"; }
}

function fromHost(value) {
    if (value instanceof Uint8Array) return Object.setPrototypeOf(value, Buffer.prototype);
    return value;
}

function nativeModule({ name, functions }) {
    const module = {};
    for (const method of functions) {
        const call = (...given) => fromHost(host.call(`${name}.${method}`, ...given));
        const made = method === "statSync" ? (...given) => new Stats(call(...given)) : call;
        Object.defineProperty(made, "name", { value: method });
        module[method] = made;
    }
    return module;
}

function loadFile(file) {
    const module = { exports: {}, id: file.path, filename: file.filename, loaded: false };
    loaded.set(file.path, module);
    try {
        if (file.path.endsWith(".json")) {
            module.exports = JSON.parse(file.source);
        } else {
            const begin = "(function (exports, require, module, __filename, __dirname) {";
            const source = file.source.replace(/^#!/, "//");
            module.require = specifier => requireFrom(file.path, specifier);
            host.compile(`${begin}${source}\n})`, file.path)
                .call(module.exports, module.exports, module.require, module, file.filename, file.dirname);
        }
    } catch (error) {
        loaded.delete(file.path);
        if (file.path.endsWith(".json") && error instanceof SyntaxError) error.message = `${file.path}: ${error.message}`;
        throw error;
    }
    module.loaded = true;
    return module;
}

/* `from` is the path of the file that asks, or something that is none: then the worktree's root. */
function requireFrom(from, specifier) {
    if (typeof specifier !== "string") throw new TypeError(`require takes a string, not ${typeof specifier}`);
    const found = host.call("modules.require", from, specifier);
    if (found.native !== undefined) {
        const id = `native:${found.native.name}`;
        if (!loaded.has(id)) loaded.set(id, { exports: nativeModule(found.native) });
        return loaded.get(id).exports;
    }
    const module = loaded.get(found.path) ?? loadFile(host.call("modules.read", found.path));
    return module.exports;
}
