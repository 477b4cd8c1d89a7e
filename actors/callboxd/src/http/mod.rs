//! The HTTP control API (INTERFACE).
//!
//! It runs in a thread of its own with one worker, so that nothing an API client does holds up SIP. Everything it says of
//! calls comes from the journal or from the engine's own list of live calls.

mod body;
mod calls;
mod commands;
mod error;
mod events;
mod guard;
mod journal;
mod listing;
mod metrics;
mod routes;
mod token;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use callbox::Engine;
use tokio::sync::watch;
use tokio::time::Instant;

pub use token::Token;

use crate::failure::Failure;
use crate::hep;
use error::ApiError;
use guard::Guard;
use journal::Gateway;
use metrics::Metrics;

/// Connections of API clients at once.
const MAX_CONNECTIONS: usize = 1_024;

/// How long a graceful stop waits for requests under way, in seconds.
const SHUTDOWN_SECS: u64 = 1;

/// What every handler may use.
#[derive(Debug)]
pub struct Context {
    /// Weak: the engine is its owner's to close, whatever a connection still holds.
    engine: Weak<Engine>,
    journal: Gateway,
    metrics: Metrics,
    /// Of the mirror, if there is one.
    mirror: Option<Arc<hep::Counters>>,
    closing: watch::Receiver<bool>,
    started: Instant,
}

impl Context {
    /// The engine for the time of one request.
    ///
    /// # Errors
    /// 503 if it is being closed.
    fn engine(&self) -> Result<Arc<Engine>, ApiError> {
        let open = (!*self.closing.borrow()).then(|| self.engine.upgrade()).flatten();
        open.ok_or_else(|| ApiError::unavailable("closed", "the engine is closed"))
    }
}

/// A running API.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    handle: ServerHandle,
    closing: watch::Sender<bool>,
    thread: JoinHandle<std::io::Result<()>>,
}

/// Takes the address, before anything with consequences is begun.
///
/// # Errors
/// The system's refusal.
pub fn bind(addr: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(addr).map_err(|e| Failure::other(format!("can't listen on http:{addr}: {e}")))
}

impl Server {
    /// Serves `engine`, whose journal is in `store`, on `listener`.
    ///
    /// # Errors
    /// If the thread or its runtime can't be started.
    pub fn start(
        listener: TcpListener,
        engine: &Arc<Engine>,
        store: &Path,
        token: Option<Token>,
        mirror: Option<Arc<hep::Counters>>,
    ) -> Result<Self, Failure> {
        let addr = listener.local_addr().map_err(failed)?;
        let (closing, closed) = watch::channel(false);
        let metrics = Metrics::of(engine)?;
        let engine = Arc::downgrade(engine);
        let journal = Gateway::new(store);
        let context = Context { engine, journal, metrics, mirror, closing: closed, started: Instant::now() };
        let context = web::Data::new(context);
        let guard = web::Data::new(Guard(token));
        let (started, starting) = std::sync::mpsc::channel();
        let serve = move || {
            let runtime = actix_web::rt::System::new();
            runtime.block_on(async move {
                let app = move || {
                    App::new()
                        .app_data(context.clone())
                        .app_data(guard.clone())
                        .wrap(from_fn(guard::check))
                        .configure(routes::configure)
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .max_connections(MAX_CONNECTIONS)
                    .shutdown_timeout(SHUTDOWN_SECS)
                    .disable_signals()
                    .listen(listener)?
                    .run();
                // Whoever waits for it is gone only if the whole program is.
                let _ = started.send(server.handle());
                server.await
            })
        };
        let thread = std::thread::Builder::new().name("http".into()).spawn(serve).map_err(failed)?;
        match starting.recv() {
            Ok(handle) => Ok(Self { addr, handle, closing, thread }),
            Err(_) => Err(Failure::other("the control API did not start")),
        }
    }

    /// Where it listens, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets go of the engine: event streams end, and whatever needs it is refused from now on. Readers of the journal stay,
    /// so that those who follow it see its end.
    pub fn release(&self) {
        self.closing.send_replace(true);
    }

    /// Answers what is under way and stops.
    pub async fn stop(self) {
        self.release();
        self.handle.stop(true).await;
        match tokio::task::spawn_blocking(move || self.thread.join()).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the control API ended with an error"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the control API's thread panicked"),
        }
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::other(format!("the control API can't be started: {error}"))
}
