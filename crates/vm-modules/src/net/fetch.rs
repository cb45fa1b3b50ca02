//! A session's requests on their way.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{Client, redirect};
use serde::Serialize;
use tokio::{runtime::Handle, task::AbortHandle, time::interval};

use super::{
    hosts::Hosts,
    request::{Failure, Redirect, Request, Response, send},
};

/// Whether the execution that asked is to end; shared with what works on its behalf beside it.
pub type IsStopped = Arc<dyn Fn() -> bool + Send + Sync>;

/// How often a request on its way looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(20);
/// How long a host may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 20;
const MAX_AT_ONCE: usize = 64;

/// Makes a session's requests and keeps their answers until they are taken.
pub struct Net {
    hosts: Hosts,
    runtime: Handle,
    /// Told when an answer has come.
    wake: Arc<dyn Fn() + Send + Sync>,
    state: Arc<Mutex<State>>,
    next_id: u64,
}

#[derive(Default)]
struct State {
    /// The requests on their way, by number.
    running: HashMap<u64, AbortHandle>,
    answers: Vec<Answer>,
}

/// The end of one request.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

impl Net {
    /// For one session: requests to these hosts, made on this runtime; `wake` is told when an answer has come.
    #[must_use]
    pub fn new(hosts: &[String], runtime: Handle, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { hosts: Hosts(hosts.into()), runtime, wake, state: Arc::default(), next_id: 0 }
    }

    /// Sends a request on its way; the number that its answer will have. It is given up when its execution ends.
    pub(crate) fn start(&mut self, request: Request, max_bytes: u64, is_stopped: &IsStopped) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        let (hosts, shared, wake, is_stopped) =
            (self.hosts.clone(), self.state.clone(), self.wake.clone(), is_stopped.clone());
        let mut state = lock(&self.state);
        if state.running.len() >= MAX_AT_ONCE {
            let message = format!("there are {MAX_AT_ONCE} requests on their way; wait for one of them");
            let error = Failure { code: "ERR_TOO_MANY_REQUESTS", message };
            state.answers.push(Answer { id, response: None, error: Some(error) });
            return id;
        }
        let task = self.runtime.spawn(async move {
            let result = tokio::select! {
                result = fetch(request, hosts, max_bytes) => Some(result),
                () = stopped(&is_stopped) => None,
            };
            let mut state = lock(&shared);
            state.running.remove(&id);
            if let Some(result) = result {
                let (response, error) = match result {
                    Ok(response) => (Some(response), None),
                    Err(error) => (None, Some(error)),
                };
                state.answers.push(Answer { id, response, error });
                drop(state);
                wake();
            }
        });
        state.running.insert(id, task.abort_handle());
        id
    }

    /// Gives up a request, whose answer nobody wants any more.
    pub(crate) fn cancel(&mut self, id: u64) {
        let mut state = lock(&self.state);
        if let Some(task) = state.running.remove(&id) {
            task.abort();
        }
        state.answers.retain(|answer| answer.id != id);
    }

    /// What has come since the last time.
    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        std::mem::take(&mut lock(&self.state).answers)
    }
}

async fn fetch(request: Request, hosts: Hosts, max_bytes: u64) -> Result<Response, Failure> {
    // One client for each request: a connection that is kept would outlive the execution that opened it.
    let client = client(request.redirect, &hosts)?;
    let request = request.build(&client, &hosts)?;
    send(&client, request, max_bytes).await
}

/// The daemon's own proxy settings are not for scripts: a proxy would connect wherever it is told to.
fn client(redirect: Redirect, hosts: &Hosts) -> Result<Client, Failure> {
    let checked = hosts.clone();
    let policy = match redirect {
        Redirect::Manual => redirect::Policy::none(),
        Redirect::Error => redirect::Policy::custom(|attempt| attempt.error("the answer is a redirection")),
        Redirect::Follow => redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MAX_REDIRECTS {
                return attempt.error("there are too many redirections");
            }
            match checked.check(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(why) => attempt.error(why),
            }
        }),
    };
    Client::builder()
        .no_proxy()
        .redirect(policy)
        .connect_timeout(CONNECT_TIMEOUT)
        .dns_resolver(Arc::new(hosts.clone()))
        .build()
        .map_err(|error| Failure {
            code: "ERR_NETWORK",
            message: format!("this machine cannot make requests: {error}"),
        })
}

async fn stopped(is_stopped: &IsStopped) {
    let mut look = interval(LOOK);
    while !is_stopped() {
        look.tick().await;
    }
}

/// What a panicking thread left half-done here is a missing answer at worst.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
