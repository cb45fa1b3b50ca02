/* TextEncoder and TextDecoder. The host knows the encodings. */

class TextEncoder {
    get encoding() { return "utf-8"; }

    encode(text = "") {
        return host.utf8(String(text).toWellFormed());
    }

    encodeInto(text, into) {
        if (host.classOf(into) !== "Uint8Array") throw new TypeError("encodeInto writes into a Uint8Array");
        let read = 0, written = 0;
        for (const character of String(text)) {
            const bytes = host.utf8(character.toWellFormed());
            if (written + bytes.length > into.length) break;
            into.set(bytes, written);
            read += character.length;
            written += bytes.length;
        }
        return { read, written };
    }
}

function bytesOf(input) {
    if (input === undefined) return new Uint8Array();
    if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    if (["ArrayBuffer", "SharedArrayBuffer"].includes(host.classOf(input))) return new Uint8Array(input);
    throw new TypeError("decode reads an ArrayBuffer or a view of one");
}

class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    /* While a stream is decoded: its bytes so far, and how much of their text has been handed out. */
    #pending = new Uint8Array();
    #given = 0;

    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
        this.#encoding = host.call("encoding.name", String(label));
        if (this.#encoding === undefined) throw new RangeError(`"${label}" is no encoding that is known`);
        this.#fatal = Boolean(fatal);
        this.#ignoreBOM = Boolean(ignoreBOM);
    }

    get encoding() { return this.#encoding; }

    get fatal() { return this.#fatal; }

    get ignoreBOM() { return this.#ignoreBOM; }

    decode(input, { stream = false } = {}) {
        let bytes = bytesOf(input);
        if (this.#pending.length > 0) {
            const both = new Uint8Array(this.#pending.length + bytes.length);
            both.set(this.#pending);
            both.set(bytes, this.#pending.length);
            bytes = both;
        }
        const options = { fatal: this.#fatal, keep_bom: this.#ignoreBOM, last: !stream };
        const text = host.call("encoding.decode", this.#encoding, bytes, options);
        if (text === undefined) throw new TypeError(`the bytes are not valid ${this.#encoding}`);
        const fresh = text.slice(this.#given);
        this.#pending = stream ? bytes.slice() : new Uint8Array();
        this.#given = stream ? text.length : 0;
        return fresh;
    }
}
tag(TextEncoder, "TextEncoder");
tag(TextDecoder, "TextDecoder");
define("TextEncoder", TextEncoder);
define("TextDecoder", TextDecoder);
