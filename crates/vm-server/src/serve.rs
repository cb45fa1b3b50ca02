//! The server's life.

use std::{io, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::oneshot};
use vm_core::Core;

use crate::router;

/// How long answers that are on their way may take when the daemon ends; idle and slow clients are cut off after it.
const GRACE: Duration = Duration::from_millis(1000);

/// Answers requests until `shutdown` comes, then ends what runs as `cancelled`, lets answers go out, and returns.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    core: Core,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Answers are one write each, so waiting to fill a packet only delays them; a failure costs nothing but that.
        let _ = stream.set_nodelay(true);
    });
    let (ended, stopped) = oneshot::channel();
    let stop = {
        let core = core.clone();
        async move {
            shutdown.await;
            tracing::info!("shutting down");
            core.shutdown().await;
            let _ = ended.send(());
        }
    };
    let served = axum::serve(listener, router(core)).with_graceful_shutdown(stop);
    let cut_off = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = async { served.await } => result,
        () = cut_off => Ok(()),
    }
}
