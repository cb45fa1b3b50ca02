/* What `console.log` makes of its arguments. */

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
        // to search for directives takes long
        const hasDirectives = args.length > 1 && args[0].includes("%");
        text = !hasDirectives ? args[0] : args[0].replace(/%([sdifjoOc%])/g, (whole, letter) => {
            if (letter === "%") return "%";
            return at < args.length ? directive(letter, args[at++]) : whole;
        });
    }
    for (; at < args.length; at++)
        text += (at > 0 ? " " : "") + (typeof args[at] === "string" ? args[at] : inspect(args[at]));
    return text;
}
