/* What a template decides about its runtimes, applied to one that has run nothing yet. */

function configure({ console: hasConsole, globals, fetch: hasFetch }) {
    if (!hasConsole) delete globalThis.console;
    if (hasFetch) defineFetch();
    for (const [name, value] of Object.entries(globals))
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true });
}
