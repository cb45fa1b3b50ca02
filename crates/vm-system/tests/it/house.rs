//! What the documents in the root say of the source: the floors of ARCHITECTURE.md, and the tests of SPECIFICATION.md.

use std::{fs, path::Path};

const FLOORS: [&[&str]; 5] = [
    &["vm-model"],
    &["vm-engine", "vm-modules", "vm-store"],
    &["vm-core"],
    &["vm-server", "vm-client"],
    &["vm-system", "vm-fuzz"],
];

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

/// The workspace crates that a manifest's `[dependencies]` name.
fn imports(manifest: &str) -> Vec<String> {
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = dependencies.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', '=', ' ']).next());
    names.filter(|name| name.starts_with("vm-")).map(str::to_string).collect()
}

#[test]
fn every_crate_imports_only_from_floors_below_its_own() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut checked = 0;
    for entry in fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_string();
        let own = floor(&name).unwrap_or_else(|| panic!("{name} has no floor"));
        for import in imports(&fs::read_to_string(folder.join("Cargo.toml")).unwrap()) {
            assert!(floor(&import).unwrap() < own, "{name} imports {import}");
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} imports were found");
}

#[test]
fn every_test_and_benchmark_that_the_specification_names_exists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let specification = fs::read_to_string(crates.join("../SPECIFICATION.md")).unwrap();
    let targets = fs::read_to_string(crates.join("../bench/src/targets.rs")).unwrap();
    for benchmarks in specification.lines().filter_map(|row| row.split_once("`make bench`: ")) {
        for quoted in benchmarks.1.split('`').skip(1).step_by(2) {
            assert!(targets.contains(&format!("\"{quoted}\"")), "there is no benchmark {quoted}");
        }
    }
    let (mut source, mut checked) = (String::new(), 0);
    for quoted in specification.split('`').skip(1).step_by(2) {
        let is_name =
            quoted.contains('_') && quoted.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if quoted.ends_with(".rs") {
            source = fs::read_to_string(crates.join(quoted)).unwrap_or_else(|_| panic!("there is no {quoted}"));
        } else if is_name && !["wall_ms", "cpu_ms", "mem_mb", "max_events", "max_output_kb"].contains(&quoted) {
            assert!(source.contains(&format!("fn {quoted}(")), "there is no {quoted}");
            checked += 1;
        }
    }
    assert!(checked > 40, "only {checked} tests were found");
}
