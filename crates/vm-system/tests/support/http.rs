//! Answers of the API, and what tests ask of them.

use reqwest::{
    blocking::{Body, RequestBuilder},
    header::HeaderMap,
};
use serde_json::{Value, json};

use crate::document::Call;

/// Status, JSON and headers of one answer.
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: HeaderMap,
}

impl Answer {
    /// Sends a request; its answer is what the OpenAPI document says.
    #[track_caller]
    pub fn to(request: RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let sent = request.body().and_then(Body::as_bytes).map(<[u8]>::to_vec);
        let response = client.execute(request).unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Self::new(status, headers, &response.text().unwrap());
        Call { method: method.as_str(), path: &path, sent: sent.as_deref(), status, answer: &answer.body }.check();
        answer
    }

    /// Every answer is JSON and names its request, whatever it says.
    #[track_caller]
    pub fn new(status: u16, headers: HeaderMap, text: &str) -> Self {
        assert_eq!(headers["content-type"], "application/json", "{status} {text}");
        assert!(headers.contains_key("x-request-id"), "{status} {text}");
        Self { status, body: serde_json::from_str(text).unwrap(), headers }
    }

    /// The JSON of an answer with this status.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// The `details` of an error with this status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        assert_eq!((self.status, self.body["error"]["code"].as_str()), (status, Some(code)), "{}", self.body);
        let error = &self.body["error"];
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        assert!(error["details"].is_object(), "{error}");
        error["details"].clone()
    }
}

/// The text of a field, such as an id.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

/// `[seq, type, payload]` of each event.
#[track_caller]
pub fn events(list: &Value) -> Value {
    let list = list.as_array().unwrap_or_else(|| panic!("{list} is no list"));
    list.iter().map(|event| json!([event["seq"], event["type"], event["payload"]])).collect()
}
