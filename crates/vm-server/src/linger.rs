//! What is left of a body that was not read to its end.
//!
//! A connection that closes while its client still sends is reset, and the client may never see its answer: a refusal
//! (413, 415, 404) would look like a broken daemon. So the rest is read and dropped beside the answer, within bounds.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::header::EXPECT,
};
use http_body::{Frame, SizeHint};
use tokio::{runtime::Handle, time::timeout};

/// How much is read for nothing, in bytes and in time, before the client is cut off after all.
const MAX_DISCARDED: usize = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(5);

/// The request, with a body that may be left unread.
pub(crate) fn linger(request: Request) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    // A client that waits for `100 Continue` sends nothing until the first read: there is nothing to discard, and its
    // next request must not be taken for the body.
    let sending = !request.headers().contains_key(EXPECT);
    request.map(|body| Body::new(Lingering { body, sending }))
}

struct Lingering {
    body: Body,
    /// The client has more to send and did not break off.
    sending: bool,
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.sending = true;
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.sending = matches!(frame, Some(Ok(_)));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if !self.sending || self.body.is_end_stream() {
            return;
        }
        // There is no runtime any more when the daemon has ended.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(timeout(PATIENCE, discard(std::mem::take(&mut self.body))));
        }
    }
}

async fn discard(mut body: Body) {
    let mut left = MAX_DISCARDED;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
        left = rest;
    }
}
