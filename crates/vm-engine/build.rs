//! Builds the guest: QuickJS-NG and the files of `guest/`, compiled by clang and linked by rustc's own lld to one
//! WebAssembly module, `OUT_DIR/guest.wasm`. Same sources and same clang, same bytes.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// clang-19 is the one the speed was measured with; older ones work and are a few percent slower.
const CLANGS: [&str; 4] = ["clang-19", "clang-20", "clang-21", "clang"];
const OWN_SOURCES: [&str; 12] = [
    "engine.c",
    "memory.c",
    "libc.c",
    "heap.c",
    "timers.c",
    "reflect.c",
    "report.c",
    "msgpack.c",
    "hostcall.c",
    "modules.c",
    "prelude.c",
    "vm.c",
];
const PRELUDE_SOURCES: [&str; 11] = [
    "define.js",
    "structured_clone.js",
    "encoding.js",
    "url.js",
    "crypto.js",
    "performance.js",
    "require.js",
    "library.js",
    "abort.js",
    "fetch.js",
    "configure.js",
];
const INSPECT_SOURCES: [&str; 8] =
    ["look.js", "words.js", "layout.js", "entries.js", "kinds.js", "walk.js", "format.js", "describe.js"];
const ENGINE_SOURCES: [&str; 3] = ["quickjs/libregexp.c", "quickjs/libunicode.c", "quickjs/dtoa.c"];
const SHIM_SOURCE: &str = "wasm-shim/shim.c";
/// What is changed in the engine's `quickjs.c`, and into what, where none of its macros leads to it.
const PATCHES: [(&str, &str); 1] = [
    // Whole numbers differ in the upper bits of a double alone, and the place of a key in a Map is in the lower ones.
    ("h = (u.u32[0] ^ u.u32[1]) * 3163;", "h = hash32(u.u32[0] ^ u.u32[1]); h ^= h >> 16;"),
];

fn main() {
    if let Err(error) = build() {
        // cargo shows this line above everything else the script printed
        println!("cargo::error={error}");
        std::process::exit(1);
    }
}

fn build() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let guest = fs::canonicalize("../../guest")?;
    println!("cargo::rerun-if-changed={}", guest.display());
    println!("cargo::rerun-if-changed=build.rs");
    let clang = find_clang()?;
    let engine = find_engine()?;
    embed(&guest.join("inspect"), &INSPECT_SOURCES, "{ format, describe, describeError }", &out.join("inspect.js.h"))?;
    embed(
        &guest.join("prelude"),
        &PRELUDE_SOURCES,
        "{ configure, loadLibrary, require: requireFrom, settle }",
        &out.join("prelude.js.h"),
    )?;
    patch(&engine.join("quickjs/quickjs.c"), &out.join("patched.c"))?;
    let mut objects = Vec::new();
    for name in OWN_SOURCES {
        objects.push(compile(&clang, &engine, &guest.join(name), &out, &[])?);
    }
    for name in ENGINE_SOURCES {
        objects.push(compile(&clang, &engine, &engine.join(name), &out, &["-DEMSCRIPTEN=1"])?);
    }
    // ours knows the host's time zone
    objects.push(compile(&clang, &engine, &engine.join(SHIM_SOURCE), &out, &["-Dlocaltime_r=shim_localtime_r"])?);
    link(&objects, &engine.join("vendor/wasi-libc/lib/libc.a"), &out.join("guest.wasm"))
}

fn find_clang() -> Result<String> {
    for clang in CLANGS {
        if Command::new(clang).arg("--version").output().is_ok_and(|output| output.status.success()) {
            return Ok(clang.to_string());
        }
    }
    Err("clang is needed to build the guest; install it with: apt-get install clang-19 (or: apt-get install clang)"
        .into())
}

/// The folder of the crate that carries QuickJS-NG; cargo fetches it if it is not there yet.
fn find_engine() -> Result<PathBuf> {
    let output = Command::new(env::var("CARGO")?).args(["metadata", "--format-version=1"]).output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "rquickjs-sys")
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or("the crate rquickjs-sys is not among this workspace's packages")?;
    Path::new(manifest).parent().map(Path::to_path_buf).ok_or_else(|| "rquickjs-sys has no folder".into())
}

/// A C header with a folder's files as one string, a function of `host` that returns the `exports`: `inspect` becomes
/// `INSPECT_JS`.
fn embed(folder: &Path, files: &[&str], exports: &str, header: &Path) -> Result<()> {
    let mut program = String::from("(function (host) {\n\"use strict\";\n");
    for file in files {
        program.push_str(&fs::read_to_string(folder.join(file))?);
    }
    program.push_str(&format!("return {exports};\n}})"));
    let name = folder.file_name().ok_or("a folder without a name")?.to_string_lossy().to_uppercase();
    let bytes: Vec<String> = program.bytes().map(|byte| byte.to_string()).collect();
    fs::write(header, format!("static const char {name}_JS[] = {{{},0}};\n", bytes.join(",")))?;
    Ok(())
}

fn patch(source: &Path, patched: &Path) -> Result<()> {
    let mut text = fs::read_to_string(source)?;
    for (old, new) in PATCHES {
        if text.matches(old).count() != 1 {
            return Err(format!("{} does not have {old:?} exactly once; see PATCHES", source.display()).into());
        }
        text = text.replace(old, new);
    }
    Ok(fs::write(patched, text)?)
}

fn compile(clang: &str, engine: &Path, source: &Path, out: &Path, flags: &[&str]) -> Result<PathBuf> {
    let name = source.file_name().ok_or("a source without a name")?;
    let folder = source.parent().and_then(Path::file_name).ok_or("a source without a folder")?;
    let object = out.join(folder).with_extension(name).with_added_extension("o");
    let mut command = Command::new(clang);
    command
        .args(["--target=wasm32-unknown-unknown", "-nostdlibinc", "-O3", "-c"])
        .args(["-msimd128", "-mnontrapping-fptoint", "-msign-ext"])
        .args(["-D_GNU_SOURCE", "-DNDEBUG", "-DQUICKJS_NG_BUILD", "-DFE_DOWNWARD=0", "-DFE_UPWARD=0"])
        // calls to memcpy and memset stay calls to ours, and ours do not become calls to themselves
        .args(["-mno-bulk-memory", "-fno-ident", "-Wno-everything"])
        .arg(format!("-ffile-prefix-map={}=.", engine.display()))
        .arg("-isystem")
        .arg(engine.join("vendor/wasi-libc/include"))
        .arg("-I")
        .arg(engine.join("quickjs"))
        .arg("-I")
        .arg(out)
        .args(flags);
    if name == "memory.c" {
        command.arg("-fno-builtin");
    }
    run(command.arg(source).arg("-o").arg(&object))?;
    Ok(object)
}

fn link(objects: &[PathBuf], libc: &Path, out: &Path) -> Result<()> {
    let sysroot = Command::new(env::var("RUSTC")?).args(["--print", "sysroot"]).output()?.stdout;
    let lld =
        Path::new(String::from_utf8(sysroot)?.trim()).join("lib/rustlib").join(env::var("HOST")?).join("bin/rust-lld");
    run(Command::new(lld)
        .args(["-flavor", "wasm", "--no-entry", "--stack-first", "-z", "stack-size=1048576", "--strip-all"])
        .args(objects)
        .arg(libc)
        .arg("-o")
        .arg(out))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} could not be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    let first = complaints.lines().find(|line| line.contains("error")).unwrap_or("no reason given");
    Err(format!("{program} failed: {first}").into())
}
