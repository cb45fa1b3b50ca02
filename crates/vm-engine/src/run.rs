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

use crate::{
    cpu::{self, Thread},
    memory::Mapping,
    watchdog,
};

/// How long ordinary code has to notice that it is asked to stop, before its memory is taken away: so long on the clock,
/// and so much of it on a core. On a machine that has no core for it, it has longer.
const GRACE: Duration = Duration::from_millis(50);
const GRACE_ON_CORE: Duration = Duration::from_millis(5);
const MAX_GRACE: Duration = Duration::from_secs(1);
/// A turn that takes longer than this is a long one, which lets others go first.
const SHORT: Duration = Duration::from_millis(10);

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

#[derive(Debug)]
struct Control {
    /// When the wall limit is reached.
    deadline: Instant,
    reason: Option<StopReason>,
    /// CPU time of the turns that are over.
    cpu: Duration,
    /// The turn that is on a thread.
    turn: Option<Turn>,
    when_long: WhenLong,
}

/// Where to reach code while it is on a thread, and since when it is there.
#[derive(Debug)]
struct Turn {
    target: Target,
    thread: Thread,
    began: Instant,
    cpu_at_begin: Duration,
    is_long: bool,
    /// When it was asked to stop, and how much CPU time the thread had used then.
    asked: Option<(Instant, Option<Duration>)>,
}

/// What is to be done when a turn turns out to be a long one.
#[derive(Default)]
struct WhenLong(Option<Box<dyn FnOnce() + Send>>);

impl fmt::Debug for WhenLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WhenLong").field(&self.0.is_some()).finish()
    }
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
            record: Mutex::default(),
            control: Mutex::new(Control {
                deadline: Instant::now() + Duration::from_millis(limits.wall_ms),
                reason: None,
                cpu: Duration::ZERO,
                turn: None,
                when_long: WhenLong::default(),
            }),
        })
    }

    /// The execution's id.
    #[must_use]
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    /// When the wall limit is reached.
    pub(crate) fn deadline(&self) -> Instant {
        lock(&self.control).deadline
    }

    /// Time that the run waited for its turn is not its own.
    pub fn postpone(&self, waited: Duration) {
        lock(&self.control).deadline += waited;
    }

    /// What is to be done when the next turn turns out to be a long one: it took more than 10 ms, and from there on lets
    /// others go first.
    pub fn when_long(&self, act: impl FnOnce() + Send + 'static) {
        lock(&self.control).when_long = WhenLong(Some(Box::new(act)));
    }

    /// The CPU time of all turns that are over, in milliseconds.
    #[must_use]
    pub fn cpu_ms(&self) -> f64 {
        lock(&self.control).cpu.as_micros() as f64 / 1e3
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
        self.stop(StopReason::Cancelled);
    }

    /// Raises the guest's stop flag. The first reason stays. Answers whether code is on a thread.
    pub(crate) fn ask_to_stop(&self, reason: StopReason) -> bool {
        let mut control = lock(&self.control);
        control.reason.get_or_insert(reason);
        match &control.turn {
            Some(turn) => {
                turn.target.raise_flag();
                true
            }
            None => false,
        }
    }

    /// Asks, and forces after a while.
    fn stop(self: &Arc<Self>, reason: StopReason) {
        if self.ask_to_stop(reason) {
            self.give_grace();
        }
    }

    /// What was asked to stop is forced after a while.
    fn give_grace(self: &Arc<Self>) {
        let now = Instant::now();
        if let Some(turn) = &mut lock(&self.control).turn {
            turn.asked = Some((now, turn.thread.cpu_time()));
        }
        watchdog::force_at(self, now + GRACE);
    }

    /// The watchdog's look at the turn on a thread: stops it at a limit of time, or tells when to look again.
    pub(crate) fn look(self: &Arc<Self>) -> Option<Instant> {
        let mut control = lock(&self.control);
        let now = Instant::now();
        let exceeded = control.exceeded(&self.limits, now)?;
        match exceeded {
            Ok(next) => {
                let act = control.notice_long(now);
                drop(control);
                if let Some(act) = act {
                    act();
                }
                Some(next)
            }
            Err(limit) => {
                drop(control);
                self.stop(StopReason::Limit(limit));
                None
            }
        }
    }

    /// Takes the memory away from code that did not stop when asked, or tells when to try again.
    pub(crate) fn force(&self) -> Option<Instant> {
        let control = lock(&self.control);
        let turn = control.turn.as_ref()?;
        let (asked_at, cpu_when_asked) = turn.asked?;
        let now = Instant::now();
        let on_core = turn.thread.cpu_time().zip(cpu_when_asked).map(|(time, then)| time.saturating_sub(then));
        if on_core.is_none_or(|time| time >= GRACE_ON_CORE) || now >= asked_at + MAX_GRACE {
            turn.target.mapping.revoke();
            return None;
        }
        Some(now + GRACE_ON_CORE)
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

    /// From here on the run's code is on this thread and can be reached there; until what is answered is dropped, the
    /// watchdog looks after it.
    pub(crate) fn enter(self: &Arc<Self>, target: Target) -> watchdog::Watch {
        let (began, cpu_at_begin) = (Instant::now(), cpu::own_time());
        let mut control = lock(&self.control);
        let is_stopped = control.reason.is_some();
        if is_stopped {
            target.raise_flag();
        }
        let cpu_left = Duration::from_millis(self.limits.cpu_ms).saturating_sub(control.cpu);
        let first_look = control.deadline.min(began + SHORT.min(cpu_left));
        control.turn =
            Some(Turn { target, thread: Thread::current(), began, cpu_at_begin, is_long: false, asked: None });
        drop(control);
        if is_stopped {
            self.give_grace();
        }
        watchdog::watch(self, first_look)
    }

    /// From here on nobody touches the instance's memory but its owner.
    pub(crate) fn leave(&self) {
        let mut control = lock(&self.control);
        if let Some(turn) = control.turn.take() {
            control.cpu += cpu::own_time().saturating_sub(turn.cpu_at_begin);
            if turn.is_long {
                cpu::remember_lowered();
            }
        }
        control.when_long = WhenLong::default();
    }
}

impl Control {
    /// Nothing if no turn is on a thread that could be stopped; else the limit of time that it has exceeded, or when it
    /// could have done so.
    fn exceeded(&self, limits: &Limits, now: Instant) -> Option<Result<Instant, LimitKind>> {
        let turn = self.turn.as_ref().filter(|_| self.reason.is_none())?;
        if now >= self.deadline {
            return Some(Err(LimitKind::WallMs));
        }
        // Who does not tell how long a thread computed leaves only the assumption that it always did.
        let in_turn = turn.thread.cpu_time().map_or(now - turn.began, |time| time.saturating_sub(turn.cpu_at_begin));
        match Duration::from_millis(limits.cpu_ms).checked_sub(self.cpu + in_turn) {
            None | Some(Duration::ZERO) => Some(Err(LimitKind::CpuMs)),
            // A thread computes no faster than time goes by.
            Some(left) => Some(Ok(self.deadline.min(now + left))),
        }
    }

    fn notice_long(&mut self, now: Instant) -> Option<Box<dyn FnOnce() + Send>> {
        let turn = self.turn.as_mut().filter(|turn| !turn.is_long && now >= turn.began + SHORT)?;
        turn.is_long = true;
        turn.thread.lower_priority();
        self.when_long.0.take()
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
