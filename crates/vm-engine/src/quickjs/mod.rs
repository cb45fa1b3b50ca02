//! QuickJS-NG as an engine.
//!
//! | module | what it holds |
//! |---|---|
//! | `guest` | the WebAssembly module, built in or given, taken apart into code and initial memory |
//! | `code_cache` | compiled code, on disk |
//! | `host` | what the guest can ask of the host |
//! | `machine` | one WebAssembly instance and its exports |
//! | `spares` | machines made ahead |
//! | `instance` | an [`Instance`] that goes back to its checkpoint when its machine is lost |

mod code_cache;
mod guest;
mod host;
mod instance;
mod machine;
mod spares;

use std::{path::Path, sync::Arc};

use sha2::{Digest, Sha256};
use vm_model::RuntimeMeta;
use wasmtime::{Config, InstancePre, Linker, Module, OptLevel, WasmFeatures};

use crate::{
    EngineError,
    engine::{Engine, HostFunctions, Instance, Origin, Setup},
    memory::{Checkpoint, Creator, Image, Mapping, Reader},
};
use guest::Guest;
use host::{Host, Outside};
use instance::QuickJsInstance;
use machine::Machine;
use spares::{Spare, Spares};

/// The most native stack that WebAssembly code may use. JavaScript's own limit (512 KiB of the guest's stack) is reached
/// first, so deep recursion throws a `RangeError` that scripts can catch.
const MAX_WASM_STACK: usize = 8 << 20;
/// The most memory, in bytes, that a guest may have before any script has run; an image is as large.
const MAX_IMAGE: usize = 64 << 20;

/// What a guest may use of WebAssembly. Left out are instructions that wasmtime runs as host code, where a memory that is
/// taken away would end the process (bulk memory), and what grows outside of the memory (tables).
const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::SIMD);

/// The engine: compiled once, with an image of a runtime in which no script has run yet.
pub struct QuickJs {
    module: InstancePre<Host>,
    image: Arc<Image>,
    /// Where the guest looks for the wish to stop.
    stop_flag: u32,
    identity: [u8; 32],
    spares: Arc<Spares>,
}

impl QuickJs {
    /// Compiles the built-in guest, or takes the compiled code from the cache folder (made if missing). The first start
    /// ever takes about a second, later ones milliseconds. Needs a stack of [`STACK_SIZE`](crate::engine::STACK_SIZE) bytes.
    ///
    /// # Errors
    /// The guest does not compile or start on this machine. A cache that cannot be used is not an error: it is reported
    /// in the log, and the code is compiled anew.
    pub fn new(code_cache: &Path) -> Result<Self, EngineError> {
        Self::with_guest(guest::BUILT_IN, code_cache)
    }

    /// The same with another guest, a WebAssembly module. It is not trusted: what it does ends its own sessions at most.
    ///
    /// # Errors
    /// As for [`QuickJs::new`]; and it is no guest, or needs more than one of ours may.
    pub fn with_guest(module: &[u8], code_cache: &Path) -> Result<Self, EngineError> {
        let guest =
            Guest::parse(module).map_err(|error| EngineError::Guest(format!("the guest is damaged: {error}")))?;
        let engine = wasmtime::Engine::new(&config())?;
        let module = code_cache::load_or_compile(&engine, &guest.code, code_cache)?;
        let mut linker = Linker::new(&engine);
        host::add_to(&mut linker)?;
        let (image, stop_flag) = first_image(&linker, &module, &guest)?;
        let identity = Sha256::new().chain_update(&guest.code).chain_update(image.bytes()).finalize().into();
        let module = linker.instantiate_pre(&module)?;
        Ok(Self { module, image: Arc::new(image), stop_flag, identity, spares: Arc::default() })
    }
}

impl Engine for QuickJs {
    fn meta(&self) -> RuntimeMeta {
        RuntimeMeta { engine: "quickjs-ng".into(), version: guest::QUICKJS_VERSION.into() }
    }

    fn identity(&self) -> [u8; 32] {
        self.identity
    }

    fn create(
        &self,
        origin: Origin<'_>,
        setup: &Setup<'_>,
        host: HostFunctions,
    ) -> Result<Box<dyn Instance>, EngineError> {
        Ok(Box::new(QuickJsInstance::new(self, origin, setup, host)?))
    }

    fn prepare(&self, image: Option<&Arc<Image>>) -> Result<(), EngineError> {
        let image = image.unwrap_or(&self.image);
        if let Some(own) = self.spares.wanted(image) {
            let mapping = Arc::new(Mapping::of(image, 0)?);
            mapping.populate(&own)?;
            let machine = Machine::new(&self.module, mapping, Mapping::capacity(), Outside::nothing())?;
            self.spares.put(image, Spare { machine, own });
        }
        Ok(())
    }

    fn image(&self, state: &[u8]) -> Result<Arc<Image>, EngineError> {
        let mut checkpoint = Checkpoint::of(&self.image);
        checkpoint.apply(Reader::new(state)?, Mapping::capacity())?;
        Ok(Arc::new(checkpoint.image()?))
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(MAX_WASM_STACK)
        .async_stack_size(2 * MAX_WASM_STACK)
        .memory_reservation(Mapping::capacity() as u64)
        .memory_guard_size(crate::memory::GUARD as u64)
        .memory_may_move(false)
        .memory_init_cow(false)
        .wasm_backtrace_max_frames(None)
        .with_host_memory(Arc::new(Creator))
        .wasm_features(WasmFeatures::all(), false)
        .wasm_features(FEATURES, true);
    config
}

/// The memory of a machine that has made its runtime and run nothing. The same bytes at every start, since sessions are
/// stored as what differs from them; so there is no time in it. And where the guest looks for the wish to stop.
fn first_image(linker: &Linker<Host>, module: &Module, guest: &Guest) -> Result<(Image, u32), EngineError> {
    if guest.memory_size > MAX_IMAGE {
        return Err(EngineError::Guest(format!("the guest asks for more than {} MiB at first", MAX_IMAGE >> 20)));
    }
    let mapping = Arc::new(Mapping::empty(guest.memory_size)?);
    for segment in &guest.data {
        mapping.write(segment.offset, &segment.bytes).map_err(|error| EngineError::Guest(error.to_string()))?;
    }
    let mut timeless = linker.clone();
    timeless.allow_shadowing(true).func_wrap("env", "__rquickjs_host_now_us", || 0.0)?;
    let module = timeless.instantiate_pre(module)?;
    let mut machine = Machine::new(&module, mapping.clone(), MAX_IMAGE, Outside::nothing())?;
    machine.init()?;
    let bytes = mapping.whole(<[u8]>::to_vec).map_err(|error| EngineError::Guest(error.to_string()))?;
    Ok((Image::new(bytes)?, machine.stop_flag()?))
}
