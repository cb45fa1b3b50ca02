/* URL and URLSearchParams. The host parses. */

const PARTS = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
let urlOf, adopt;

class URLSearchParams {
    #list = [];
    /* The URL whose query this is. */
    #url = null;

    constructor(init = "") {
        if (typeof init === "object" && init !== null || typeof init === "function") {
            const pairs = init[Symbol.iterator] ? Array.from(init, pair => Array.from(pair)) : Object.entries(init);
            if (pairs.some(pair => pair.length !== 2)) throw new TypeError("each parameter must be a [name, value] pair");
            this.#list = pairs.map(([name, value]) => [toText(name), toText(value)]);
        } else {
            this.#list = host.call("url.parse_query", toText(init).replace(/^\?/, ""));
        }
        show(this, this.#list);
    }

    static {
        adopt = (parameters, url, query) => {
            parameters.#url = url;
            parameters.#list = host.call("url.parse_query", query);
            show(parameters, parameters.#list);
        };
    }

    #change(list) {
        this.#list = list;
        show(this, list);
        if (this.#url) urlOf(this.#url, this.toString());
    }

    get size() { return this.#list.length; }

    append(name, value) { this.#change([...this.#list, [toText(name), toText(value)]]); }

    delete(name, value) {
        this.#change(this.#list.filter(pair => pair[0] !== toText(name) || value !== undefined && pair[1] !== toText(value)));
    }

    get(name) { return this.#list.find(pair => pair[0] === toText(name))?.[1] ?? null; }

    getAll(name) { return this.#list.filter(pair => pair[0] === toText(name)).map(pair => pair[1]); }

    has(name, value) {
        return this.#list.some(pair => pair[0] === toText(name) && (value === undefined || pair[1] === toText(value)));
    }

    set(name, value) {
        const at = this.#list.findIndex(pair => pair[0] === toText(name));
        if (at < 0) return this.append(name, value);
        const others = this.#list.filter((pair, index) => index <= at || pair[0] !== toText(name));
        others[at] = [toText(name), toText(value)];
        this.#change(others);
    }

    sort() {
        this.#change(this.#list.toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
    }

    forEach(callback, self) {
        for (const [name, value] of this) callback.call(self, value, name, this);
    }

    *entries() {
        for (let i = 0; i < this.#list.length; i++) yield [...this.#list[i]];
    }

    *keys() {
        for (const [name] of this) yield name;
    }

    *values() {
        for (const [, value] of this) yield value;
    }

    toString() { return host.call("url.write_query", this.#list); }

    [Symbol.iterator]() { return this.entries(); }
}

function toText(value) {
    return String(value).toWellFormed();
}

class URL {
    #parts;
    #parameters = new URLSearchParams();

    constructor(url, base) {
        const parts = parse(url, base);
        if (parts === undefined)
            throw Object.assign(new TypeError(`Invalid URL: ${toText(url)}`), { code: "ERR_INVALID_URL" });
        this.#take(parts);
    }

    static {
        urlOf = (url, query) => {
            url.#parts = host.call("url.set", url.#parts.href, "search", query);
            show(url, url.#parts);
        };
        for (const part of PARTS) {
            const set = part === "origin" ? undefined : function (value) { this.#change(part, toText(value)); };
            Object.defineProperty(this.prototype, part, { get() { return this.#parts[part]; }, set, configurable: true });
        }
    }

    static canParse(url, base) { return parse(url, base) !== undefined; }

    static parse(url, base) { return URL.canParse(url, base) ? new URL(url, base) : null; }

    #take(parts) {
        this.#parts = parts;
        adopt(this.#parameters, this, parts.search.slice(1));
        show(this, parts);
    }

    #change(part, value) {
        const parts = part === "href" ? new URL(value).#parts : host.call("url.set", this.#parts.href, part, value);
        this.#take(parts);
    }

    get searchParams() { return this.#parameters; }

    toString() { return this.#parts.href; }

    toJSON() { return this.#parts.href; }
}

function parse(url, base) {
    return host.call("url.parse", toText(url), base === undefined ? null : toText(base));
}
tag(URLSearchParams, "URLSearchParams");
tag(URL, "URL");
define("URLSearchParams", URLSearchParams);
define("URL", URL);
