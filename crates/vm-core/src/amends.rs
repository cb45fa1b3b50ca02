//! What the database has to be told and did not take: it is told again until it does.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use vm_model::{ExecutionId, ExecutionStatus, SessionId, SessionStatus};

use crate::{Core, Error, core::Parts};

/// How long is waited before it is told again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is not true any more of what the database has.
#[derive(Clone)]
pub(crate) enum Amend {
    /// This session cannot go on, for this reason.
    Crashed(SessionId, String),
    /// This execution, which was recorded as running, is called off.
    CalledOff(ExecutionId),
}

#[derive(Default)]
pub(crate) struct Amends(Mutex<Vec<Amend>>);

impl Amends {
    /// Tells the database, now or as soon as it can be told. Blocks.
    pub fn make(&self, parts: &Parts, amend: Amend) {
        if let Err(error) = amend.write(parts) {
            tracing::error!(%error, "the database cannot be told yet what has become of a session or an execution");
            self.lock().push(amend);
        }
    }

    /// Whether this execution is called off, though the database still has it.
    pub fn calls_off(&self, id: ExecutionId) -> bool {
        self.lock().iter().any(|amend| matches!(amend, Amend::CalledOff(other) if *other == id))
    }

    fn try_again(&self, parts: &Parts) {
        let pending = self.lock().clone();
        for (at, amend) in pending.iter().enumerate() {
            if amend.write(parts).is_err() {
                self.lock().drain(..at);
                return;
            }
        }
        self.lock().drain(..pending.len());
        tracing::info!("the database is up to date again");
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Amend>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Amend {
    fn write(&self, parts: &Parts) -> Result<(), Error> {
        match self {
            // Mostly it is not there at all, which can be seen on a full disk as well.
            Self::CalledOff(id) => match parts.store.execution(*id)? {
                Some(execution) if execution.status == ExecutionStatus::Running => {
                    Ok(parts.store.forget_execution(*id)?)
                }
                _ => Ok(()),
            },
            Self::Crashed(id, why) => match parts.store.session(*id)? {
                Some(mut session) if session.status != SessionStatus::Closed => {
                    session.status = SessionStatus::Crashed;
                    session.last_error = Some(why.clone());
                    Ok(parts.store.update_session(&session)?)
                }
                _ => Ok(()),
            },
        }
    }
}

/// As long as the core lives.
pub(crate) async fn make_amends(parts: Weak<Parts>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(parts) = parts.upgrade() else { return };
        if parts.amends.is_empty() {
            continue;
        }
        let try_again = |parts: &Parts| {
            parts.amends.try_again(parts);
            Ok(())
        };
        if let Err(error) = Core(parts).blocking(try_again).await {
            tracing::error!(%error, "the database could not be told again");
        }
    }
}
