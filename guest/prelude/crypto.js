/* Randomness from the operating system. */

const MAX_RANDOM = 65536;
const INTEGERS = ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array",
    "Uint32Array", "BigInt64Array", "BigUint64Array"];

class Crypto {
    getRandomValues(array) {
        if (!INTEGERS.includes(host.classOf(array)))
            throw new DOMException("getRandomValues fills integer typed arrays only", "TypeMismatchError");
        if (array.byteLength > MAX_RANDOM)
            throw new DOMException(`getRandomValues fills at most ${MAX_RANDOM} bytes`, "QuotaExceededError");
        host.random(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
        return array;
    }

    randomUUID() {
        const bytes = new Uint8Array(16);
        host.random(bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        const hex = bytes.toHex();
        return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
    }
}
tag(Crypto, "Crypto");
define("Crypto", Crypto);
define("crypto", new Crypto());
