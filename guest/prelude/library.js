/* A library: third-party code that runs before a session's own, and ends up in a global. */

/* UMD asks which of the two worlds it is in; what just uses `exports` was written for CommonJS. */
function isCommonJs(source) {
    return /\bexports\b/.test(source) && !/\btypeof\s+(exports|module)\b/.test(source);
}

function loadLibrary(source, name, global) {
    if (!isCommonJs(source)) return void host.compile(source, name);
    const module = { exports: {} };
    const run = host.compile(`(function (exports, require, module) {${source}\n})`, name);
    run.call(module.exports, module.exports, specifier => requireFrom(name, specifier), module);
    define(global, module.exports);
}
