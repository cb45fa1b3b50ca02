/* Time since the session was made. The engine's own clock would count from when its image was made. */

define("performance", Object.create({ now: () => host.elapsed() }, {
    timeOrigin: { get: () => host.timeOrigin(), enumerable: true, configurable: true },
    [Symbol.toStringTag]: { value: "Performance", configurable: true },
}));
