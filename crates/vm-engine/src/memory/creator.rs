//! Hands prepared mappings to wasmtime.
//!
//! wasmtime asks for a memory in the middle of an instantiation and says nothing of the session it is for; so the mapping
//! that is to be used waits on the thread that instantiates.

use std::{cell::RefCell, sync::Arc};

use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

use super::{Mapping, mapping::GUARD};

thread_local! {
    static NEXT: RefCell<Option<Arc<Mapping>>> = const { RefCell::new(None) };
}

/// Runs an instantiation whose memory is to be `mapping`.
pub(crate) fn hand_over<T>(mapping: &Arc<Mapping>, instantiate: impl FnOnce() -> T) -> T {
    NEXT.set(Some(mapping.clone()));
    let made = instantiate();
    NEXT.take();
    made
}

pub(crate) struct Creator;

// SAFETY: the memory handed over has 4 GiB of addresses of its own and a guard behind them, as the configuration says.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _type: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let mapping = NEXT.take().ok_or("no mapping was handed over")?;
        if mapping.size() < minimum || reserved.is_some_and(|size| size > Mapping::capacity()) || guard > GUARD {
            return Err("the mapping handed over is too small".into());
        }
        Ok(Box::new(Owned(mapping)))
    }
}

/// wasmtime's share of a mapping.
struct Owned(Arc<Mapping>);

// SAFETY: the base never moves, and `byte_size` bytes from it are accessible until the watchdog takes all of them away,
// after which every access faults into a trap.
unsafe impl LinearMemory for Owned {
    fn byte_size(&self) -> usize {
        self.0.size()
    }

    fn byte_capacity(&self) -> usize {
        Mapping::capacity()
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        Ok(self.0.grow(size)?)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.0.base()
    }
}
