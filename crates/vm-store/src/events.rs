//! How events are stored: in chunks, as text, packed if that is long. The separator between them is no character that JSON
//! text can hold.

use std::{fmt::Write, iter, mem, thread};

use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};
use rusqlite::{Connection, Row, ToSql, params_from_iter};
use vm_model::{Event, EventType, ExecutionId, Timestamp};

use crate::{
    error::Failure,
    query::{Record, all},
};

/// What a chunk holds at most, unless a single event is larger, in bytes: few enough that one event is read quickly.
const CHUNK: usize = 16 << 10;
/// From how many bytes on text is packed.
const LONG: usize = 1 << 10;
/// No LZ4 becomes longer than by this factor.
const MAX_RATIO: usize = 255;
const SEPARATOR: char = '\u{1e}';
const TABLE: &str = "event_chunks";

/// Events of one execution as a row has them.
pub(crate) struct Chunk {
    last_seq: u64,
    /// Empty if it is packed.
    text: String,
    packed: Option<Vec<u8>>,
}

/// The rows for events in the order of `seq`. Made before anybody is kept from writing.
pub(crate) fn chunks(events: &[Event]) -> Vec<Chunk> {
    let (mut chunks, mut text) = (Vec::new(), String::new());
    let mut events = events.iter().peekable();
    while let Some(event) = events.next() {
        encode(&mut text, event.seq, event.ts, event.kind, event.payload.get());
        match events.peek() {
            Some(next) if text.len() + next.payload.get().len() < CHUNK => text.push(SEPARATOR),
            None => chunks.push(chunk(event.seq, mem::take(&mut text))),
            Some(_) => {
                chunks.push(chunk(event.seq, mem::take(&mut text)));
                // There are many: whoever waits for the same core goes first.
                thread::yield_now();
            }
        }
    }
    chunks
}

fn chunk(last_seq: u64, text: String) -> Chunk {
    let packed = (text.len() >= LONG).then(|| compress_prepend_size(text.as_bytes()));
    match packed.filter(|packed| packed.len() < text.len()) {
        None => Chunk { last_seq, text, packed: None },
        packed => Chunk { last_seq, text: String::new(), packed },
    }
}

impl Chunk {
    /// The values of its row, but for the execution.
    pub(crate) fn row(&self) -> [&dyn ToSql; 3] {
        [&self.last_seq, &self.text, &self.packed]
    }
}

/// Stores a [`Chunk::row`] for the execution with this number.
pub(crate) fn insert<T: ToSql>(db: &Connection, n: i64, row: &[T]) -> Result<(), Failure> {
    let sql = "INSERT INTO event_chunks (execution, last_seq, events, packed) VALUES (?1, ?2, ?3, ?4)";
    let row = iter::once(&n as &dyn ToSql).chain(row.iter().map(|value| value as &dyn ToSql));
    db.prepare_cached(sql)?.execute(params_from_iter(row))?;
    Ok(())
}

/// Those of them whose `seq` is greater than `after_seq`, in order.
pub(crate) fn read(db: &Connection, id: ExecutionId, n: i64, after_seq: u64) -> Result<Vec<Event>, Failure> {
    // A larger number than SQLite knows is after every event.
    let after = i64::try_from(after_seq).unwrap_or(i64::MAX);
    let sql = "SELECT events, packed FROM event_chunks WHERE execution = ?1 AND last_seq > ?2 ORDER BY last_seq";
    let chunks = all(db, sql, [n, after], |row| unpack(id, row))?;
    Ok(chunks.into_iter().flatten().filter(|event| event.seq > after_seq).collect())
}

/// Adds one event, `payload` as JSON.
pub(crate) fn encode(text: &mut String, seq: u64, ts: Timestamp, kind: EventType, payload: &str) {
    // Nothing that is written to a string fails.
    let _ = write!(text, "{seq} {} ", ts.as_micros());
    text.extend([kind.as_str(), " ", payload]);
}

fn unpack(id: ExecutionId, row: &Row<'_>) -> Result<Vec<Event>, Failure> {
    let row = Record { table: TABLE, row };
    let text = match row.get::<Option<Vec<u8>>>("packed")? {
        None => row.get("events")?,
        Some(packed) => text(&packed).ok_or_else(|| {
            let why = "cannot be unpacked".into();
            Failure::Damaged { table: TABLE, column: "packed", why }
        })?,
    };
    let damaged = |why| Failure::Damaged { table: TABLE, column: "events", why };
    text.split(SEPARATOR).map(|text| decode(id, text).map_err(damaged)).collect()
}

/// Nothing if it is damaged.
fn text(packed: &[u8]) -> Option<String> {
    let (length, packed) = uncompressed_size(packed).ok()?;
    // Before there is memory for it.
    let is_possible = length <= packed.len().saturating_mul(MAX_RATIO);
    String::from_utf8(decompress(packed, is_possible.then_some(length)?).ok()?).ok()
}

/// Or what is wrong with it.
fn decode(id: ExecutionId, text: &str) -> Result<Event, String> {
    let mut fields = text.splitn(4, ' ');
    let mut field = |name: &str| fields.next().ok_or_else(|| format!("has an event without {name}"));
    let (seq, ts, kind, payload) = (field("seq")?, field("ts")?, field("type")?, field("payload")?);
    let wrong = |name: &str, why: String| format!("has an event whose {name} cannot be read ({why})");
    Ok(Event {
        execution_id: id,
        seq: seq.parse().map_err(|_| wrong("seq", seq.into()))?,
        ts: Timestamp::from_micros(ts.parse().map_err(|_| wrong("ts", ts.into()))?),
        kind: kind.parse().map_err(|why| wrong("type", why))?,
        payload: serde_json::from_str(payload).map_err(|why| wrong("payload", why.to_string()))?,
    })
}
