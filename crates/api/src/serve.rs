//! Listening, and ending in order.

use axum::{Extension, Router};
use std::{future::Future, io, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long requests may go on after the server was told to end; live streams end at once.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Cancelled when the server ends: live streams would otherwise keep it.
#[derive(Debug, Clone, Default)]
pub struct Ending(pub CancellationToken);

/// Serves until `shutdown` is done. Then nothing new is taken, live streams end, and what is being answered
/// has ten seconds.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let ending = CancellationToken::new();
    let told = ending.clone();
    let shutdown = async move {
        shutdown.await;
        told.cancel();
    };
    let router = router.layer(Extension(Ending(ending.clone())));
    let served = axum::serve(listener, router).with_graceful_shutdown(shutdown);
    tokio::select! {
        result = async { served.await } => result,
        () = async { ending.cancelled().await; tokio::time::sleep(DRAIN_MAX).await } => Ok(()),
    }
}
