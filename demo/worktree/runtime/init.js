// Runs once, when the session is created: what it defines is there for every later call.
globalThis.packages = [];

globalThis.countBy = (items, keyOf) => {
  const counts = new Map();
  for (const item of items) {
    const key = keyOf(item);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
};

console.log("ready for packages");
