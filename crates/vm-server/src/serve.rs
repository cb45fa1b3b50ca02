//! The server's life.

use std::time::Duration;

use tokio::{net::TcpListener, time::timeout};
use vm_core::Core;

use crate::{access::Access, connections::Connections, routes::router};

/// How long the whole end may take: running code is stopped and recorded, and answers go out. Slow clients are cut off
/// after it.
const GRACE: Duration = Duration::from_millis(1500);

/// Answers requests until `shutdown` comes, then ends what runs as `cancelled`, lets answers go out, and returns.
pub async fn serve(listener: TcpListener, core: Core, access: Access, shutdown: impl Future<Output = ()>) {
    let connections = Connections::new(router(core.clone(), access), core.executor().clone());
    tokio::select! {
        never = connections.accept(listener) => match never {},
        () = shutdown => tracing::info!("shutting down"),
    }
    // A task of its own, because it may hold its thread for longer.
    let stopped = core.executor().spawn({
        let core = core.clone();
        async move { core.shutdown().await }
    });
    let end = async { tokio::join!(stopped, connections.end()) };
    if timeout(GRACE, end).await.is_err() {
        tracing::warn!("what was not done after {GRACE:?} is cut off");
    }
}
