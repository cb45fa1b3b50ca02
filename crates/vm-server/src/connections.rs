//! Connections: how many there are, how long a client may take, and an end that lets answers go out.

use std::{
    convert::Infallible,
    io::{self, ErrorKind},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::net::{self, sockopt};
use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::sleep,
};
use vm_core::Executor;

use crate::malformed::Stream;

/// So many clients are heard at a time; the next ones wait until one of them ends.
const MAX_CONNECTIONS: usize = 1024;
/// So many wait without having to try again.
const WAITING: i32 = 1024;
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 32 << 10;
/// How long a client may take for the head of a request, counted from its last answer: an idle one is cut off too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer, in milliseconds.
const ANSWER_TIMEOUT: u32 = 30_000;
/// How long a client may still be idle when another one waits. More than a moment, so that none is cut off whose request
/// is on its way.
const IDLE_TIMEOUT_WHEN_FULL: Duration = Duration::from_secs(1);
/// How long nothing is accepted after the system could not: it would fail again at once.
const PAUSE: Duration = Duration::from_secs(1);

/// All connections of one server.
pub(crate) struct Connections {
    http: http1::Builder,
    service: TowerToHyperService<Router>,
    executor: Executor,
    free: Arc<Semaphore>,
    /// Says to every connection of this moment: end when you have been idle for so long, or after your next answer.
    hang_up: watch::Sender<Duration>,
}

impl Connections {
    pub fn new(router: Router, executor: Executor) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_header_size(MAX_HEAD);
        // A client that has said all that it has to say may still want the answer.
        http.half_close(true);
        Self {
            http,
            service: TowerToHyperService::new(router),
            executor,
            free: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            hang_up: watch::Sender::new(Duration::ZERO),
        }
    }

    /// Accepts connections for as long as it is polled, and serves each of them until it ends.
    pub async fn accept(&self, listener: TcpListener) -> Infallible {
        // Of those that wait, the standard library lets 128 do so; further ones would try again after a second.
        let _ = net::listen(&listener, WAITING);
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.receive(stream).await,
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections; idle ones are closed");
                    self.hang_up.send_replace(IDLE_TIMEOUT_WHEN_FULL);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Ends every connection that is idle, and the others after their answers.
    pub async fn end(&self) {
        self.hang_up.send_replace(Duration::ZERO);
        self.hang_up.closed().await;
    }

    async fn receive(&self, stream: TcpStream) {
        if self.free.available_permits() == 0 {
            tracing::debug!("all {MAX_CONNECTIONS} connections are taken; idle ones are closed");
            self.hang_up.send_replace(IDLE_TIMEOUT_WHEN_FULL);
        }
        // The semaphore is never closed.
        let Ok(place) = self.free.clone().acquire_owned().await else { return };
        // Answers are one write each, so waiting to fill a packet only delays them. Should either option fail, then
        // nothing is lost but what it is for.
        let _ = stream.set_nodelay(true);
        let _ = sockopt::set_tcp_user_timeout(&stream, ANSWER_TIMEOUT);
        let connection = self.http.serve_connection(TokioIo::new(Stream::new(stream)), self.service.clone());
        drop(self.executor.spawn(converse(connection, self.hang_up.subscribe(), place)));
    }
}

/// A client that was gone before it was accepted.
fn is_of_one_client(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

/// Serves a connection until either side ends it.
async fn converse(
    connection: http1::Connection<TokioIo<Stream>, TowerToHyperService<Router>>,
    mut hang_up: watch::Receiver<Duration>,
    _place: OwnedSemaphorePermit,
) {
    let mut connection = pin!(connection);
    select! {
        biased;
        end = connection.as_mut() => return note(end),
        _ = hang_up.changed() => {}
    }
    let idle_timeout = *hang_up.borrow();
    select! {
        biased;
        end = connection.as_mut() => return note(end),
        () = sleep(idle_timeout) => connection.as_mut().graceful_shutdown(),
    }
    note(connection.await);
}

/// How a connection ends is of interest to its client, who knows what it did.
fn note(end: hyper::Result<()>) {
    if let Err(error) = end {
        tracing::debug!(%error, "a connection has come to a bad end");
    }
}
