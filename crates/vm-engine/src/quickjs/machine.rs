//! One WebAssembly instance and its exports. After a trap it is spent and can only be dropped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::{InstancePre, Result, Store, StoreLimits, StoreLimitsBuilder, TypedFunc, WasmParams, WasmResults};

use super::host::{Host, Outside};
use crate::{
    memory::{Mapping, hand_over},
    watchdog::{self, Watch},
};

/// How long a call that belongs to no execution may take, before the machine's memory is taken away. They take
/// microseconds; the rest is for a machine that has no core for them.
const HOUSEKEEPING: Duration = Duration::from_secs(2);
/// The same for clearing memory, of which there may be gigabytes.
const CLEARING: Duration = Duration::from_secs(30);

/// The arguments of `vm_run`: the buffer, flags, and the sizes of name, givens and source.
type RunArguments = (u32, u32, u32, u32, u32);

/// What every program calls is looked up once; the rest would be looked up more often than it is called.
pub(super) struct Machine {
    store: Store<Host>,
    instance: wasmtime::Instance,
    alloc: TypedFunc<u32, u32>,
    run: TypedFunc<RunArguments, i64>,
    heap_used: TypedFunc<(), u32>,
    set_heap_limit: TypedFunc<u32, ()>,
}

/// What `vm_run` and `vm_resume` answer.
#[derive(Debug)]
pub(super) enum Turn {
    Finished,
    Stopped,
    /// Nothing to do for so many microseconds.
    Wait(u64),
}

impl Turn {
    fn decode(answer: i64) -> Result<Self> {
        match answer {
            -1 => Ok(Self::Finished),
            -2 => Ok(Self::Stopped),
            wait => Ok(Self::Wait(u64::try_from(wait)?)),
        }
    }
}

impl Machine {
    /// An instance on this memory, which may grow to `max_memory` bytes.
    pub fn new(
        module: &InstancePre<Host>,
        mapping: Arc<Mapping>,
        max_memory: usize,
        outside: Arc<Outside>,
    ) -> Result<Self> {
        let limits = limits(max_memory);
        let host = Host { mapping: mapping.clone(), limits, run: None, outside, answer: Vec::new() };
        let mut store = Store::new(module.module().engine(), host);
        store.limiter(|host| &mut host.limits);
        let _watch = watchdog::revoke_at(&mapping, Instant::now() + HOUSEKEEPING);
        let instance = hand_over(&mapping, || module.instantiate(&mut store))?;
        Ok(Self {
            alloc: instance.get_typed_func(&mut store, "vm_alloc")?,
            run: instance.get_typed_func(&mut store, "vm_run")?,
            heap_used: instance.get_typed_func(&mut store, "vm_heap_used")?,
            set_heap_limit: instance.get_typed_func(&mut store, "vm_set_heap_limit")?,
            instance,
            store,
        })
    }

    /// Makes a spare one a session's.
    pub fn hand_out(&mut self, max_memory: usize, outside: Arc<Outside>) {
        let host = self.host();
        (host.limits, host.outside) = (limits(max_memory), outside);
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> Result<R> {
        self.instance.get_typed_func(&mut self.store, name)?.call(&mut self.store, parameters)
    }

    pub fn host(&mut self) -> &mut Host {
        self.store.data_mut()
    }

    /// Bounds what happens in the machine until what is answered is dropped.
    fn bounded(&self, time: Duration) -> Watch {
        watchdog::revoke_at(&self.store.data().mapping, Instant::now() + time)
    }

    /// Makes the JavaScript runtime; once, before the first image is taken.
    pub fn init(&mut self) -> Result<()> {
        let _watch = self.bounded(HOUSEKEEPING);
        match self.call("vm_init", ())? {
            0_i32 => Ok(()),
            code => Err(wasmtime::Error::msg(format!("the JavaScript runtime could not be made ({code})"))),
        }
    }

    /// As part of a run, which bounds it.
    pub fn set_heap_limit(&mut self, bytes: u32) -> Result<()> {
        self.set_heap_limit.call(&mut self.store, bytes)
    }

    /// Where the guest looks for the wish to stop.
    pub fn stop_flag(&mut self) -> Result<u32> {
        let _watch = self.bounded(HOUSEKEEPING);
        self.call("vm_stop_flag", ())
    }

    pub fn heap_used(&mut self) -> Result<u32> {
        let _watch = self.bounded(HOUSEKEEPING);
        self.heap_used.call(&mut self.store, ())
    }

    /// Clears the memory that JavaScript does not use any more.
    pub fn clear_free(&mut self) -> Result<()> {
        let _watch = self.bounded(CLEARING);
        self.call("vm_clear_free", ())
    }

    /// Applies what a template decides about its runtimes, as JSON; before any script has run.
    pub fn configure(&mut self, json: &str) -> Result<()> {
        let _watch = self.bounded(HOUSEKEEPING);
        let start = self.hand_in(&[json.as_bytes(), b"\0"].concat())?;
        self.call("vm_configure", (start, json.len() as u32))
    }

    /// Copies bytes into memory that the guest frees.
    fn hand_in(&mut self, bytes: &[u8]) -> Result<u32> {
        let start = self.alloc.call(&mut self.store, u32::try_from(bytes.len())?)?;
        self.store.data().mapping.write(start, bytes)?;
        Ok(start)
    }

    /// Hands in a program and takes its first turn.
    pub fn run(&mut self, flags: u32, name: &str, given: &str, source: &[u8]) -> Result<Turn> {
        let start = self.hand_in(&[name.as_bytes(), b"\0", given.as_bytes(), b"\0", source, b"\0"].concat())?;
        let sizes = (start, flags, name.len() as u32, given.len() as u32, source.len() as u32);
        Turn::decode(self.run.call(&mut self.store, sizes)?)
    }

    pub fn resume(&mut self) -> Result<Turn> {
        Turn::decode(self.call("vm_resume", ())?)
    }

    pub fn give_up(&mut self) -> Result<()> {
        self.call("vm_give_up", ())
    }
}

fn limits(max_memory: usize) -> StoreLimits {
    StoreLimitsBuilder::new().memory_size(max_memory).build()
}
