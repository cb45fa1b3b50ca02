//! Bodies and queries of the API: the first byte says what of, the rest is what was sent.

use std::fmt::Debug;

use axum::response::IntoResponse;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vm_model::{
    Capability, CapabilityId, NewCapability, NewExtension, NewSession, NewStartupFile, NewTemplate, ReplRequest,
    RunFileRequest, SessionStatus, Settings, TemplateId, TemplatePatch,
};
use vm_server::{ApiError, decode};

/// What the lists of the API can be asked.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[allow(dead_code)] // decoded, and that is all
    status: Option<SessionStatus>,
    template_id: Option<TemplateId>,
    #[serde(default)]
    after_seq: u64,
}

/// Decodes a body or a query.
///
/// # Panics
/// What came of it is wrong.
pub fn check(data: &[u8]) {
    let Some((kind, sent)) = data.split_first() else { return };
    match kind % 9 {
        0 => template(sent),
        1 => patch(sent),
        2 => capability(sent),
        3 => drop(body::<NewStartupFile>(sent)),
        4 => drop(body::<NewExtension>(sent)),
        5 => drop(body::<NewSession>(sent)),
        6 => drop(body::<ReplRequest>(sent)),
        7 => drop(body::<RunFileRequest>(sent)),
        _ => query(sent),
    }
}

/// What is accepted means what it says: written again, it is the same. What is not is refused in few words.
fn body<T: DeserializeOwned + Serialize + PartialEq + Debug>(sent: &[u8]) -> Option<T> {
    match decode::body::<T>(sent) {
        Ok(accepted) => {
            let written = serde_json::to_vec(&accepted).unwrap();
            assert_eq!(decode::body::<T>(&written).unwrap(), accepted);
            Some(accepted)
        }
        Err(refused) => {
            refusal(refused);
            None
        }
    }
}

fn query(sent: &[u8]) {
    let Ok(text) = str::from_utf8(sent) else { return };
    match decode::query::<Parameters>(text) {
        Ok(Parameters { template_id, after_seq, .. }) => {
            let id = template_id.map(|id| format!("template_id={id}&")).unwrap_or_default();
            let again: Parameters = decode::query(&format!("{id}after_seq={after_seq}")).unwrap();
            assert_eq!((again.template_id, again.after_seq), (template_id, after_seq));
        }
        Err(refused) => refusal(refused),
    }
}

fn refusal(refused: ApiError) {
    assert!(format!("{refused:?}").len() < 10_000);
    assert_eq!(refused.into_response().status(), 400);
}

fn template(sent: &[u8]) {
    if let Some(NewTemplate { settings: Some(settings), .. }) = body(sent) {
        merge(&settings);
    }
}

fn patch(sent: &[u8]) {
    if let Some(TemplatePatch { settings: Some(settings), .. }) = body(sent) {
        merge(&settings);
    }
}

/// Settings that are accepted are accepted again as they are.
fn merge(patch: &serde_json::Value) {
    if let Ok(merged) = Settings::default().merged(patch) {
        let all = serde_json::to_value(&merged).unwrap();
        assert_eq!(merged.merged(&all), Ok(merged));
    }
}

fn capability(sent: &[u8]) {
    let Some(NewCapability { kind, name, enabled, config }) = body(sent) else { return };
    let Ok(kind) = kind.parse() else { return };
    let (id, vm_id) = (CapabilityId::new(), TemplateId::new());
    drop(Capability { id, vm_id, kind, name, enabled, config }.grant());
}
