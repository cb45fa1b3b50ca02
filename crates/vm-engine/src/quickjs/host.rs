//! What the guest can ask of the host. The guest is not trusted: every pointer and number is checked, and nonsense ends the
//! execution, not the daemon.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::value::RawValue;
use vm_model::{ConsoleLevel, ExceptionPayload, LimitKind, Payload, ValuePayload};
use wasmtime::{Caller, Linker, Result, StoreLimits};

use crate::{HostFunctions, Run, StopReason, memory::Mapping};

/// What belongs to one machine on the host's side.
pub(super) struct Host {
    pub mapping: Arc<Mapping>,
    pub limits: StoreLimits,
    /// The execution that the machine is busy with.
    pub run: Option<Arc<Run>>,
    pub outside: Arc<Outside>,
    /// What the last call answered, until the guest takes it.
    pub answer: Vec<u8>,
}

/// What a session has outside its memory, and keeps when its machine is replaced.
pub(super) struct Outside {
    functions: Mutex<HostFunctions>,
    created_at: SystemTime,
    /// How long it had existed at some moment.
    age: (Duration, Instant),
}

impl Outside {
    pub fn new(functions: HostFunctions, created_at: SystemTime) -> Arc<Self> {
        let age = (created_at.elapsed().unwrap_or_default(), Instant::now());
        Arc::new(Self { functions: Mutex::new(functions), created_at, age })
    }

    /// What a machine has before it is a session's.
    pub fn nothing() -> Arc<Self> {
        Self::new(Box::new(|_, _, _| Err(Vec::new())), UNIX_EPOCH)
    }

    /// Never runs backwards, as long as the daemon lives.
    fn elapsed_ms(&self) -> f64 {
        let (age, at) = self.age;
        (age + at.elapsed()).as_micros() as f64 / 1e3
    }
}

/// The longest name of a host function, in bytes.
const MAX_NAME: u32 = 64;
/// The most random bytes that one call gives; the guest asks for no more.
const MAX_RANDOM: u32 = 1 << 16;

/// A text in guest memory: where, and how many bytes.
type Text = (u32, u32);

pub(super) fn add_to(linker: &mut Linker<Host>) -> Result<()> {
    linker.func_wrap("vm", "report", report)?;
    linker.func_wrap("vm", "memory_exhausted", memory_exhausted)?;
    linker.func_wrap("vm", "utc_offset", |caller: Caller<'_, Host>, seconds: f64| {
        caller.data().note_unrepeatable()?;
        Ok(utc_offset(seconds))
    })?;
    linker.func_wrap("vm", "random", random)?;
    linker.func_wrap("vm", "elapsed_ms", |caller: Caller<'_, Host>| {
        caller.data().note_unrepeatable()?;
        Ok(caller.data().outside.elapsed_ms())
    })?;
    linker.func_wrap("vm", "time_origin_ms", |caller: Caller<'_, Host>| {
        caller.data().note_unrepeatable()?;
        Ok(since_1970_us(caller.data().outside.created_at) / 1e3)
    })?;
    linker.func_wrap("vm", "call", call)?;
    linker.func_wrap("vm", "take", take)?;
    linker.func_wrap("env", "__rquickjs_host_now_us", |caller: Caller<'_, Host>| {
        caller.data().note_clock()?;
        Ok(since_1970_us(SystemTime::now()))
    })?;
    Ok(())
}

#[allow(clippy::too_many_arguments)] // the guest's calling convention: a kind and three texts
fn report(
    caller: Caller<'_, Host>,
    kind: u32,
    a: u32,
    a_len: u32,
    b: u32,
    b_len: u32,
    c: u32,
    c_len: u32,
) -> Result<()> {
    let host = caller.data();
    host.check_memory()?;
    let Some(run) = &host.run else { return Err(wasmtime::Error::msg("a report outside of an execution")) };
    // An event is at least as long as its texts: what will not fit is not even copied.
    if run.has_room(u64::from(a_len) + u64::from(b_len) + u64::from(c_len)) {
        run.report(host.payload(kind, (a, a_len), (b, b_len), (c, c_len))?);
    }
    Ok(())
}

fn memory_exhausted(caller: Caller<'_, Host>) -> Result<()> {
    if let Some(run) = &caller.data().run {
        run.ask_to_stop(StopReason::Limit(LimitKind::MemMb));
    }
    Err(wasmtime::Error::msg("the session's memory limit is reached"))
}

impl Host {
    /// What never touches its memory notices here that it has been taken away.
    fn check_memory(&self) -> Result<()> {
        Ok(self.mapping.read(0, 0, |_| ())?)
    }

    fn payload(&self, kind: u32, a: Text, b: Text, c: Text) -> Result<Payload> {
        let level = match kind {
            0 => ConsoleLevel::Log,
            1 => ConsoleLevel::Warn,
            2 => ConsoleLevel::Error,
            3 => ConsoleLevel::Info,
            4 => ConsoleLevel::Debug,
            5 => {
                let json = self.optional(c)?.and_then(|json| RawValue::from_string(json).ok());
                return Ok(Payload::Value(ValuePayload { kind: self.text(a)?, preview: self.text(b)?, json }));
            }
            6 => {
                return Ok(Payload::Exception(ExceptionPayload { message: self.text(a)?, stack: self.optional(b)? }));
            }
            _ => return Err(wasmtime::Error::msg("the guest reported something of an unknown kind")),
        };
        Ok(Payload::Console { level, text: self.text(a)? })
    }

    /// The code is to know what time it is.
    fn note_clock(&self) -> Result<()> {
        self.check_memory()?;
        if let Some(run) = &self.run {
            run.note_clock();
        }
        Ok(())
    }

    /// The code is to know something that another time would be something else.
    fn note_unrepeatable(&self) -> Result<()> {
        self.check_memory()?;
        if let Some(run) = &self.run {
            run.note_unrepeatable();
        }
        Ok(())
    }

    fn text(&self, (start, len): Text) -> Result<String> {
        Ok(self.mapping.read(start, len, well_formed)?)
    }

    fn optional(&self, text: Text) -> Result<Option<String>> {
        if text.0 == 0 { Ok(None) } else { self.text(text).map(Some) }
    }
}

fn since_1970_us(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_micros() as f64)
}

fn utc_offset(seconds: f64) -> i32 {
    let time = Timestamp::from_second(seconds as i64).unwrap_or_default();
    TimeZone::system().to_offset(time).seconds()
}

/// The operating system's source does not fail once it has been seeded at boot.
fn random(caller: Caller<'_, Host>, start: u32, len: u32) -> Result<()> {
    caller.data().note_unrepeatable()?;
    let mut bytes = vec![0; len.min(MAX_RANDOM) as usize];
    getrandom::fill(&mut bytes).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    Ok(caller.data().mapping.write(start, &bytes)?)
}

/// The mapping is not locked while the function works, so the watchdog can take the memory away meanwhile.
fn call(mut caller: Caller<'_, Host>, name: u32, name_len: u32, request: u32, request_len: u32) -> Result<i64> {
    if name_len > MAX_NAME {
        return Err(wasmtime::Error::msg("the guest named a function that the host cannot have"));
    }
    let host = caller.data_mut();
    let name = host.text((name, name_len))?;
    let request = host.mapping.read(request, request_len, <[u8]>::to_vec)?;
    let Some(run) = &host.run else { return Err(wasmtime::Error::msg("a call to the host outside of an execution")) };
    let answer = {
        // A function that panicked has ended its execution; the session's later ones find it as it was left.
        let mut functions = host.outside.functions.lock().unwrap_or_else(PoisonError::into_inner);
        functions(&name, &request, run)
    };
    let (is_refusal, answer) = match answer {
        Ok(answer) => (false, answer),
        Err(refusal) => (true, refusal),
    };
    let size = i64::try_from(answer.len())?;
    host.answer = answer;
    Ok(if is_refusal { -size - 1 } else { size })
}

fn take(mut caller: Caller<'_, Host>, start: u32) -> Result<()> {
    let host = caller.data_mut();
    let answer = std::mem::take(&mut host.answer);
    Ok(host.mapping.write(start, &answer)?)
}

/// The guest writes UTF-8 but for lone surrogates, which have no such form: each becomes U+FFFD.
fn well_formed(text: &[u8]) -> String {
    if let Ok(text) = str::from_utf8(text) {
        return text.to_string();
    }
    let mut text = text.to_vec();
    for at in 2..text.len() {
        if let [0xed, 0xa0..=0xbf, _] = text[at - 2..=at] {
            text[at - 2..=at].copy_from_slice("\u{fffd}".as_bytes());
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
