//! What is no HTTP reaches no route: hyper refuses it, with a head and no body. Here that answer becomes one like all
//! others, JSON with a request id.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use serde_json::Map;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use vm_model::{ErrorBody, ErrorCode, ErrorEnvelope};

use crate::observe::new_request_id;

/// A client's stream on which no refusal is without a body.
pub(crate) struct Stream {
    inner: TcpStream,
    /// What is still to be written in the place of hyper's refusal.
    refusal: Vec<u8>,
}

impl Stream {
    pub fn new(inner: TcpStream) -> Self {
        Self { inner, refusal: Vec::new() }
    }
}

/// Our own refusals all have a body, also the ones of which `HEAD` shows the length alone; and no body looks like this,
/// since JSON has its line ends escaped.
fn is_bare(head: &[u8]) -> bool {
    let empty = b"\r\ncontent-length: 0\r\n";
    head.starts_with(b"HTTP/1.1 4")
        && head.ends_with(b"\r\n\r\n")
        && head.windows(empty.len()).any(|part| part == empty)
}

/// The refusal with the status line of this head.
fn refusal(head: &[u8]) -> Vec<u8> {
    let status = String::from_utf8_lossy(head.split(|&byte| byte == b'\r').next().unwrap_or_default());
    let message = if status.contains(" 400 ") {
        "this is no HTTP/1.1 request"
    } else {
        "the request line and the headers are more than a request may have"
    };
    let error = ErrorBody { code: ErrorCode::InvalidRequest, message: message.into(), details: Map::new() };
    let body = serde_json::to_string(&ErrorEnvelope { error }).unwrap_or_default();
    let (id, length) = (new_request_id(), body.len());
    tracing::debug!(request_id = %id, %status, "refused what is no HTTP");
    let head = format!("{status}\r\ncontent-type: application/json\r\nx-request-id: {id}\r\ncontent-length: {length}");
    format!("{head}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(head) = bytes.first().filter(|head| is_bare(head)) else {
            return Pin::new(&mut self.inner).poll_write_vectored(context, bytes);
        };
        if self.refusal.is_empty() {
            self.refusal = refusal(head);
        }
        let Self { inner, refusal } = &mut *self;
        while !refusal.is_empty() {
            let written = ready!(Pin::new(&mut *inner).poll_write(context, refusal))?;
            refusal.drain(..written);
        }
        Poll::Ready(Ok(head.len()))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}
