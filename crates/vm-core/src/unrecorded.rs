//! Executions that were noted as running, and whose record could then not be stored.

use std::{sync::Arc, time::Duration};

use vm_model::ExecutionId;

use crate::{Core, core::Parts};

/// Between two attempts while the database cannot be written to.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the note back, now or as soon as that can be stored. The next daemon would record it as cancelled.
pub(crate) fn forget_running(parts: &Arc<Parts>, id: ExecutionId) {
    let weak = Arc::downgrade(parts);
    parts.runtime.spawn(async move {
        while let Some(parts) = weak.upgrade() {
            let forget = move |parts: &Parts| Ok(parts.store.forget_running(id)?);
            if Core(parts).blocking(forget).await.is_ok() {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
}
