//! Events: what a guest reports is encoded once, stored and sent as that text, and means the same wherever it is read.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::{Value, json, value::RawValue};
use vm_engine::Run;
use vm_model::{ConsoleLevel, Event, ExceptionPayload, ExecutionId, Limits, Payload, ValuePayload};

#[derive(Arbitrary, Debug)]
enum Report<'a> {
    Input { text: &'a str },
    Console { level: u8, text: &'a str },
    Value { kind: &'a str, preview: &'a str, json: Option<&'a str> },
    Exception { message: &'a str, stack: Option<&'a str> },
    System { text: &'a str },
}

/// Reports, stores and reads.
///
/// # Panics
/// What came of it is wrong.
pub fn check(data: &[u8]) {
    if let Ok(reports) = Vec::arbitrary_take_rest(Unstructured::new(data)) {
        check_reports(&reports);
    }
}

fn check_reports(reports: &[Report<'_>]) {
    let limits = Limits { max_output_kb: 64, max_events: 20, ..Limits::default() };
    let run = Run::new(ExecutionId::new(), &limits);
    let mut expected = Vec::new();
    for report in reports {
        let before = run.so_far().events.len();
        let (payload, meaning) = made(report);
        run.report(payload);
        if run.so_far().events.len() > before {
            expected.push(meaning);
        }
    }
    let record = run.take_record();
    assert_eq!(record.events.len(), expected.len());
    let bytes: usize = record.events.iter().map(|event| event.payload.get().len()).sum();
    assert_eq!(record.output_bytes, bytes as u64);
    for ((event, expected), seq) in record.events.iter().zip(expected).zip(1..) {
        assert_eq!(event.seq, seq);
        check_event(event, &expected);
    }
}

/// The payload, as the engine makes it of what the guest reports, and what it means.
fn made(report: &Report<'_>) -> (Payload, Value) {
    match *report {
        Report::Input { text } => (Payload::InputEcho { text: text.into() }, json!({ "text": text })),
        Report::Console { level, text } => {
            let levels = [
                (ConsoleLevel::Log, "log"),
                (ConsoleLevel::Warn, "warn"),
                (ConsoleLevel::Error, "error"),
                (ConsoleLevel::Info, "info"),
                (ConsoleLevel::Debug, "debug"),
            ];
            let (level, name) = levels[usize::from(level) % levels.len()];
            (Payload::Console { level, text: text.into() }, json!({ "level": name, "text": text }))
        }
        Report::Value { kind, preview, json } => {
            let json = json.and_then(|json| RawValue::from_string(json.into()).ok());
            let mut meaning = json!({ "type": kind, "preview": preview });
            if let Some(json) = &json {
                meaning["json"] = json!(json.get());
            }
            (Payload::Value(ValuePayload { kind: kind.into(), preview: preview.into(), json }), meaning)
        }
        Report::Exception { message, stack } => {
            let mut meaning = json!({ "message": message });
            if let Some(stack) = stack {
                meaning["stack"] = stack.into();
            }
            (Payload::Exception(ExceptionPayload { message: message.into(), stack: stack.map(Into::into) }), meaning)
        }
        Report::System { text } => {
            let meaning = json!({ "message": text, "level": "error" });
            (Payload::System { message: text.into(), level: ConsoleLevel::Error }, meaning)
        }
    }
}

fn check_event(event: &Event, expected: &Value) {
    let sent = serde_json::to_string(event).unwrap();
    let read: Event = serde_json::from_str(&sent).unwrap();
    assert_eq!(read.payload.get(), event.payload.get());
    assert_eq!(
        (read.execution_id, read.seq, read.ts, read.kind),
        (event.execution_id, event.seq, event.ts, event.kind)
    );
    assert_eq!(event.kind.as_str().parse(), Ok(event.kind));
    if expected.get("preview").is_some() {
        // the JSON form of a value is passed on as it is, and may be nested deeper than others would decode
        let value: ValuePayload = serde_json::from_str(read.payload.get()).unwrap();
        assert_eq!(value.kind, expected["type"]);
        assert_eq!(value.preview, expected["preview"]);
        assert_eq!(value.json.as_deref().map(RawValue::get), expected.get("json").and_then(Value::as_str));
    } else {
        assert_eq!(serde_json::from_str::<Value>(read.payload.get()).unwrap(), *expected);
    }
}
