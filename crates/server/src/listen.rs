//! Connections: how many, and how slow they may be. One that dawdles over its first lines or its body is closed, so that
//! nobody keeps others out by opening connections and saying nothing.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::app::App;

/// Connections at a time; more wait to be taken.
const CONNECTIONS: usize = 256;
/// The first line and the headers have to be there by then; a connection that is kept open may rest as long.
const HEADERS: Duration = Duration::from_secs(10);
/// Requests that were begun may take so long when the server is stopped.
const FAREWELL: Duration = Duration::from_secs(5);

/// Answers until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    app: &App,
    stop: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let open = GracefulShutdown::new();
    let mut stop = pin!(async {
        tokio::select! {
            () = stop => {}
            () = told_to_stop() => {}
        }
    });
    loop {
        let place = tokio::select! {
            () = &mut stop => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: others will close.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Small answers go at once. It is no harm if the system does not know how.
        _ = stream.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .max_buf_size(64 << 10)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        let connection = open.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
        });
    }
    app.stopping.send_replace(true);
    _ = tokio::time::timeout(FAREWELL, open.shutdown()).await;
}

/// Done at Ctrl-C or SIGTERM.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the process ends as it always did.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
