//! The server's life.

use std::{io, pin::pin, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::oneshot, time::timeout};
use vm_core::Core;

use crate::router;

/// How long the whole end may take: running code is stopped and recorded, and answers go out. Idle and slow clients are
/// cut off after it.
const GRACE: Duration = Duration::from_millis(1500);

/// Answers requests until `shutdown` comes, then ends what runs as `cancelled`, lets answers go out, and returns.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: TcpListener, core: Core, shutdown: impl Future<Output = ()> + Send) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Answers are one write each, so waiting to fill a packet only delays them; a failure costs nothing but that.
        let _ = stream.set_nodelay(true);
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let served = axum::serve(listener, router(core.clone())).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let mut served = pin!(served.into_future());
    tokio::select! {
        result = &mut served => return result,
        () = shutdown => tracing::info!("shutting down"),
    }
    drop(stop);
    let end = async { tokio::join!(core.shutdown(), served).1 };
    timeout(GRACE, end).await.unwrap_or_else(|_| {
        tracing::warn!("what was not done after {GRACE:?} is cut off");
        Ok(())
    })
}
