// Works on what load.js left in the session.
(() => {
  const usedBy = countBy(packages.flatMap((p) => p.dependencies), (name) => name);
  const versions = countBy(packages, (p) => p.name).filter(([, count]) => count > 1);
  console.log("most used:");
  for (const [name, count] of usedBy.slice(0, 5)) console.log("  %s  by %d packages", name.padEnd(14), count);
  console.log("in more than one version: %s", versions.map(([name]) => name).join(", ") || "none");
  return { packages: packages.length, edges: usedBy.reduce((sum, [, n]) => sum + n, 0), mostUsed: usedBy[0][0] };
})();
