/* The text of strings, keys and primitives. */

const MAX_STRING = 10000, IDENTIFIER = /^[a-zA-Z_$][a-zA-Z_$0-9]*$/;

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
