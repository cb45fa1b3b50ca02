//! What is not to be kept any longer is deleted, from time to time and when asked.

use std::{sync::Weak, time::Duration};

use vm_model::Collected;

use crate::{Core, Error, core::Parts};

/// How often it is looked for what can go.
const EVERY: Duration = Duration::from_secs(60 * 60);

impl Core {
    /// Deletes history that is not to be kept any longer, and images that nobody uses; makes the database file smaller.
    ///
    /// # Errors
    /// The database failed; what was deleted until then stays deleted.
    pub async fn collect(&self) -> Result<Collected, Error> {
        let collect = |parts: &Parts| {
            let collected = parts.store.gc(&parts.retention)?;
            // those that are gone must not be found in memory
            parts.images.forget();
            let Collected { sessions, executions, images, bytes } = collected;
            tracing::info!(sessions, executions, images, bytes, "deleted what is not to be kept");
            Ok(collected)
        };
        self.blocking(collect).await
    }
}

/// As long as the core lives.
pub(crate) async fn keep_house(parts: Weak<Parts>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(parts) = parts.upgrade() else { return };
        if let Err(error) = Core(parts).collect().await {
            tracing::warn!(%error, "what is not to be kept could not be deleted");
        }
    }
}
