//! One execution: what it has done so far, and the wish to stop it.
//!
//! A run is shared by the thread that executes it, whoever looks on, and whoever stops it.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::value::RawValue;
use vm_model::{Event, ExceptionPayload, ExecutionId, LimitKind, Limits, Payload, Timestamp, ValuePayload};

use crate::{
    turn::{GRACE, SHORT, Target, Turn},
    watchdog,
};

/// After so many events whoever waits for the same core goes first: the kernel would let them wait for milliseconds.
const YIELDS: u64 = 64;

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
    is_unrepeatable: AtomicBool,
    has_read_clock: AtomicBool,
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
    /// CPU time of the turns that are over, and of other processes.
    cpu: Duration,
    /// The turn that is on a thread.
    turn: Option<Turn>,
    when_long: WhenLong,
}

/// What is to be done when a turn turns out to be a long one.
#[derive(Default)]
struct WhenLong(Option<Act>);

type Act = Box<dyn FnOnce() + Send>;

impl fmt::Debug for WhenLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WhenLong").field(&self.0.is_some()).finish()
    }
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
            is_unrepeatable: AtomicBool::new(false),
            has_read_clock: AtomicBool::new(false),
        })
    }

    /// The execution's id.
    #[must_use]
    pub fn id(&self) -> ExecutionId {
        self.id
    }

    /// What bounds it.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// When the wall limit is reached.
    pub(crate) fn deadline(&self) -> Instant {
        lock(&self.control).deadline
    }

    /// Time that the run waited for its turn is not its own.
    pub fn postpone(&self, waited: Duration) {
        lock(&self.control).deadline += waited;
    }

    /// What is to be done when the next turn turns out to be a long one, which takes more than 10 ms.
    pub fn when_long(&self, act: impl FnOnce() + Send + 'static) {
        lock(&self.control).when_long = WhenLong(Some(Box::new(act)));
    }

    /// Adds CPU time that other processes have used for the run, and answers how much it may still use; at nothing it is
    /// ended.
    pub fn spend(self: &Arc<Self>, cpu: Duration) -> Duration {
        let mut control = lock(&self.control);
        control.cpu += cpu;
        let left = control.cpu_left(&self.limits, Instant::now());
        drop(control);
        if left.is_zero() {
            self.stop(StopReason::Limit(LimitKind::CpuMs));
        }
        left
    }

    /// The CPU time of all turns that are over, and of [other processes](Run::spend), in milliseconds.
    #[must_use]
    pub fn cpu_ms(&self) -> f64 {
        lock(&self.control).cpu.as_micros() as f64 / 1e3
    }

    /// Adds an event, unless it would exceed a limit: then it stops the run instead. The system's own word always fits.
    pub fn report(self: &Arc<Self>, payload: Payload) {
        // Strings, numbers and checked JSON always encode.
        let Ok(encoded) = serde_json::value::to_raw_value(&payload) else { return };
        if matches!(payload, Payload::System { .. }) || self.has_room(encoded.get().len() as u64) {
            self.record(payload, encoded);
        }
    }

    /// Whether an event of this size fits. One that does not stops the run.
    pub(crate) fn has_room(self: &Arc<Self>, size: u64) -> bool {
        let Some(reason) = self.refuses(size) else { return true };
        self.stop(reason);
        false
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
        drop(record);
        if seq % YIELDS == 0 {
            thread::yield_now();
        }
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
                turn.ask_to_stop();
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
        // One grace for each turn, however often it is asked.
        let begins = lock(&self.control).turn.as_mut().is_some_and(|turn| turn.note_asked(now));
        if begins {
            watchdog::force_at(self, now + GRACE);
        }
    }

    /// The watchdog's look at the turn on a thread: stops it at a limit of time, or tells when to look again.
    pub(crate) fn look(self: &Arc<Self>) -> Option<Instant> {
        let mut control = lock(&self.control);
        let now = Instant::now();
        let exceeded = control.exceeded(&self.limits, now)?;
        match exceeded {
            Ok(next) => {
                let (act, again) = control.notice_long(now);
                drop(control);
                if let Some(act) = act {
                    act();
                }
                Some(again.map_or(next, |again| next.min(again)))
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
        lock(&self.control).turn.as_ref()?.force(Instant::now())
    }

    /// Does work of the run on the calling thread, which was started for it, while the turn's own thread waits: its CPU time
    /// and its priority are the turn's.
    pub fn charge<T>(&self, work: impl FnOnce() -> T) -> T {
        if let Some(turn) = &mut lock(&self.control).turn {
            turn.begin_help();
        }
        let _help = Help(self);
        work()
    }

    /// Whether the run is to end: for what works on its behalf.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop_reason().is_some()
    }

    /// Ends the run at a limit that something working on its behalf has exceeded.
    pub fn exceed(self: &Arc<Self>, limit: LimitKind) {
        self.stop(StopReason::Limit(limit));
    }

    /// Notes that the code read the clock.
    pub(crate) fn note_clock(&self) {
        self.has_read_clock.store(true, Ordering::Relaxed);
    }

    /// Notes that the code did or saw something else that would be something else another time: randomness, a command.
    pub fn note_unrepeatable(&self) {
        self.is_unrepeatable.store(true, Ordering::Relaxed);
    }

    /// Whether the same code would do the same another time.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        self.is_repeatable_but_for_the_clock() && !self.has_read_clock.load(Ordering::Relaxed)
    }

    /// The same for code that keeps nothing of what the clock told it.
    #[must_use]
    pub fn is_repeatable_but_for_the_clock(&self) -> bool {
        !self.is_unrepeatable.load(Ordering::Relaxed)
    }

    /// Why the run is to stop, if it is.
    pub(crate) fn stop_reason(&self) -> Option<StopReason> {
        lock(&self.control).reason
    }

    /// From here on the run's code is on this thread and can be reached there; until what is answered is dropped, the
    /// watchdog looks after it.
    pub(crate) fn enter(self: &Arc<Self>, target: Target) -> watchdog::Watch {
        let mut control = lock(&self.control);
        let is_stopped = control.reason.is_some();
        if is_stopped {
            target.raise_flag();
        }
        let turn = Turn::begin(target);
        let cpu_left = control.cpu_left(&self.limits, turn.began());
        let first_look = control.deadline.min(turn.began() + SHORT.min(cpu_left));
        control.turn = Some(turn);
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
            control.cpu += turn.end();
        }
        control.when_long = WhenLong::default();
    }
}

/// A thread's work for a run, until it is dropped.
struct Help<'a>(&'a Run);

impl Drop for Help<'_> {
    fn drop(&mut self) {
        if let Some(turn) = &mut lock(&self.0.control).turn {
            turn.end_help();
        }
    }
}

impl Control {
    /// Nothing if no turn is on a thread that could be stopped; else the limit of time that it has exceeded, or when it
    /// could have done so.
    fn exceeded(&self, limits: &Limits, now: Instant) -> Option<Result<Instant, LimitKind>> {
        self.turn.as_ref().filter(|_| self.reason.is_none())?;
        if now >= self.deadline {
            return Some(Err(LimitKind::WallMs));
        }
        match self.cpu_left(limits, now) {
            Duration::ZERO => Some(Err(LimitKind::CpuMs)),
            // A thread computes no faster than time goes by.
            left => Some(Ok(self.deadline.min(now + left))),
        }
    }

    fn cpu_left(&self, limits: &Limits, now: Instant) -> Duration {
        let turn = self.turn.as_ref().map_or(Duration::ZERO, |turn| turn.cpu_time(now));
        Duration::from_millis(limits.cpu_ms).saturating_sub(self.cpu + turn)
    }

    /// What is to be done now, and when to look again.
    fn notice_long(&mut self, now: Instant) -> (Option<Act>, Option<Instant>) {
        let Some(turn) = &mut self.turn else { return (None, None) };
        let act = if turn.becomes_long(now) { self.when_long.0.take() } else { None };
        (act, turn.step_back(now))
    }
}

/// What a panicking thread left half-done in these locks is a missing event at worst.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
