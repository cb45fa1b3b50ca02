//! One execution: what it has done so far, and the wish to stop it.
//!
//! A run is shared by the thread that executes it, whoever looks on, and whoever stops it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::value::RawValue;
use vm_model::{Event, ExceptionPayload, ExecutionId, LimitKind, Limits, Payload, Timestamp, ValuePayload};

use crate::{memory::Mapping, watchdog};

/// How long ordinary code has to notice that it is asked to stop, before its memory is taken away.
const GRACE: Duration = Duration::from_millis(50);

/// Why a run was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopReason {
    /// It exceeded this limit.
    Limit(LimitKind),
    /// Somebody outside wanted it.
    Cancelled,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(limit) => write!(f, "it exceeded {limit}"),
            Self::Cancelled => f.write_str("it was cancelled"),
        }
    }
}

/// One execution.
#[derive(Debug)]
pub struct Run {
    id: ExecutionId,
    limits: Limits,
    deadline: Instant,
    record: Mutex<Record>,
    control: Mutex<Control>,
}

/// What an execution has come to so far.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// In order; `seq` counts from 1.
    pub events: Vec<Event>,
    /// Bytes of all payloads.
    pub output_bytes: u64,
    /// The last value reported.
    pub result: Option<ValuePayload>,
    /// The first exception reported.
    pub error: Option<ExceptionPayload>,
}

#[derive(Debug, Default)]
struct Control {
    reason: Option<StopReason>,
    /// Where to reach the code while it is on a thread.
    target: Option<Target>,
}

/// The memory of the instance that a run executes in.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub mapping: Arc<Mapping>,
    pub stop_flag: u32,
}

impl Run {
    /// A run that starts now and ends within the wall limit.
    #[must_use]
    pub fn new(id: ExecutionId, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            id,
            limits: limits.clone(),
            deadline: Instant::now() + Duration::from_millis(limits.wall_ms),
            record: Mutex::default(),
            control: Mutex::default(),
        })
    }

    /// The execution's id.
    #[must_use]
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    /// When the wall limit is reached.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Adds an event, unless it would exceed a limit: then it stops the run instead. The system's own word always fits.
    pub fn report(&self, payload: Payload) {
        // Strings, numbers and checked JSON always encode.
        let Ok(encoded) = serde_json::value::to_raw_value(&payload) else { return };
        if !matches!(payload, Payload::System { .. })
            && let Some(reason) = self.refuses(encoded.get().len() as u64)
        {
            self.ask_to_stop(reason);
            return;
        }
        self.record(payload, encoded);
    }

    /// Why there is no room for an event of this size.
    fn refuses(&self, size: u64) -> Option<StopReason> {
        if let Some(reason) = self.stop_reason() {
            return Some(reason);
        }
        let record = lock(&self.record);
        if record.events.len() as u64 >= self.limits.max_events {
            return Some(StopReason::Limit(LimitKind::MaxEvents));
        }
        let room = (self.limits.max_output_kb << 10).saturating_sub(record.output_bytes);
        (size > room).then_some(StopReason::Limit(LimitKind::MaxOutputKb))
    }

    fn record(&self, payload: Payload, encoded: Box<RawValue>) {
        let mut record = lock(&self.record);
        record.output_bytes += encoded.get().len() as u64;
        let (seq, kind) = (record.events.len() as u64 + 1, payload.kind());
        match payload {
            Payload::Value(value) => record.result = Some(value),
            Payload::Exception(exception) if record.error.is_none() => record.error = Some(exception),
            _ => {}
        }
        record.events.push(Event { execution_id: self.id, seq, ts: Timestamp::now(), kind, payload: encoded });
    }

    /// What has been recorded so far.
    #[must_use]
    pub fn so_far(&self) -> Record {
        lock(&self.record).clone()
    }

    /// Takes what was recorded; for the one who ends the run.
    #[must_use]
    pub fn take_record(&self) -> Record {
        std::mem::take(&mut lock(&self.record))
    }

    /// Ends the run as cancelled, at once if it computes; if it waits, its owner resumes it to end it.
    pub fn cancel(self: &Arc<Self>) {
        if self.ask_to_stop(StopReason::Cancelled) {
            watchdog::force_at(self, Instant::now() + GRACE);
        }
    }

    /// Raises the guest's stop flag. The first reason stays. Answers whether code is on a thread.
    pub(crate) fn ask_to_stop(&self, reason: StopReason) -> bool {
        let mut control = lock(&self.control);
        control.reason.get_or_insert(reason);
        match &control.target {
            Some(target) => {
                target.raise_flag();
                true
            }
            None => false,
        }
    }

    /// The deadline has come: asks, and forces after a while.
    pub(crate) fn expire(self: &Arc<Self>) {
        if self.ask_to_stop(StopReason::Limit(LimitKind::WallMs)) {
            watchdog::force_at(self, Instant::now() + GRACE);
        }
    }

    /// Takes the memory away from code that did not stop when asked.
    pub(crate) fn force(&self) {
        if let Some(target) = &lock(&self.control).target {
            target.mapping.revoke();
        }
    }

    /// Whether the run is to end: for what works on its behalf.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop_reason().is_some()
    }

    /// Ends the run at a limit that something working on its behalf has exceeded.
    pub fn exceed(&self, limit: LimitKind) {
        self.ask_to_stop(StopReason::Limit(limit));
    }

    /// Why the run is to stop, if it is.
    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        lock(&self.control).reason
    }

    /// From here on the run's code is on this thread and can be reached there.
    pub(crate) fn enter(&self, target: Target) {
        let mut control = lock(&self.control);
        if control.reason.is_some() {
            target.raise_flag();
        }
        control.target = Some(target);
    }

    /// From here on nobody touches the instance's memory but its owner.
    pub(crate) fn leave(&self) {
        lock(&self.control).target = None;
    }
}

impl Target {
    fn raise_flag(&self) {
        // Refused only where the memory has been taken away, which stops the code even better.
        let _ = self.mapping.write(self.stop_flag, &[1]);
    }
}

/// What a panicking thread left half-done in these locks is a missing event at worst.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
