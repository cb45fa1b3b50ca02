/* One line or several, and columns for long lists of short entries. */

const LINE_WIDTH = 72, BREAK_WIDTH = 80, GROUP_FROM = 7;

/* Long lists of short entries in columns. */
function group(output, extra, isNumeric) {
    const entries = output.length - extra, gap = 2, lengths = [];
    let total = 0, longest = 0;
    for (let i = 0; i < entries; i++) {
        lengths[i] = output[i].length;
        total += lengths[i] + gap;
        longest = Math.max(longest, lengths[i]);
    }
    const widest = longest + gap;
    if (!(widest * 3 + 4 < BREAK_WIDTH && (total / widest > 5 || longest <= 6))) return output;
    const bias = Math.sqrt(widest - total / output.length), biased = Math.max(widest - 3 - bias, 1);
    const columns = Math.min(Math.round(Math.sqrt(2.5 * biased * entries) / biased),
        Math.floor((BREAK_WIDTH - 4) / widest), 4 * 3, 15);
    if (columns <= 1) return output;
    const widths = [], lines = [];
    for (let column = 0; column < columns; column++) {
        let width = 0;
        for (let i = column; i < entries; i += columns) width = Math.max(width, lengths[i]);
        widths.push(width + gap);
    }
    for (let start = 0; start < entries; start += columns) {
        const end = Math.min(start + columns, entries);
        let line = "", i = start;
        for (; i < end - 1; i++) {
            const cell = `${output[i]}, `;
            line += isNumeric ? cell.padStart(widths[i - start]) : cell.padEnd(widths[i - start]);
        }
        lines.push(line + (isNumeric ? output[i].padStart(widths[i - start] - gap) : output[i]));
    }
    return lines.concat(output.slice(entries));
}

function lay(state, output, open, close, head, level, list) {
    const entries = output.length;
    if (list && entries >= GROUP_FROM) output = group(output, list.extra, list.numeric);
    if (output.length === entries && state.level - level < 3) {
        const length = output.reduce((sum, text) => sum + text.length, 0) + output.length;
        const start = output.length + state.indent + open.length + head.length + 10;
        if (length + start <= BREAK_WIDTH && length + output.length <= LINE_WIDTH + output.length
            && !output.some(text => text.includes("\n")))
            return `${head}${open} ${output.join(", ")} ${close}`;
    }
    const indent = `\n${" ".repeat(state.indent)}`;
    return `${head}${open}${indent}  ${output.join(`,${indent}  `)}${indent}${close}`;
}
