// Takes the package list it is given as its one argument: [{ "name", "version", "dependencies" }, …]
packages = JSON.parse(__ARGS__[0]);
console.log(`loaded ${packages.length} packages for ${__ENV__.PROJECT}`);
packages.length;
