// Takes the list it is given as its one argument: { "packages": [{ "name", "version", "dependencies" }, …] }
packages = JSON.parse(__ARGS__[0]).packages;
console.log(`loaded ${packages.length} packages for ${__ENV__.PROJECT}`);
packages.length;
