//! `callboxd serve`: the engine behind its listeners and the control API, until a signal ends it.

mod signals;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use callbox::{Config, Engine, OpenError};

use crate::failure::{Exit, Failure};
use crate::hep;
use crate::http;
use crate::settings::{HepSettings, Settings};
use signals::Signals;

/// How long a request may hold the engine after the API let go of it.
const MOMENT: Duration = Duration::from_millis(10);
const PATIENCE: u32 = 200;

const HINT: &str = "what was acknowledged is durable; `callbox verify` checks the store";

/// Runs until SIGTERM or SIGINT, then ends gracefully.
///
/// The API's address is taken before the journal is opened: recovery has consequences, a bad address should have none.
///
/// # Errors
/// A failure with its exit code.
pub fn run(settings: Settings) -> Result<(), Failure> {
    let api = settings.http.clone().map(|http| Ok((http::bind(http.addr)?, http.token))).transpose()?;
    let mirror = settings.hep.clone().map(|hep| Ok((hep::bind(hep.addr)?, hep))).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::other(format!("no runtime: {e}")))?;
    let signals = runtime.block_on(async { Signals::listen() })?;
    let store = settings.store.clone();
    let engine = Arc::new(Engine::open(config(settings)).map_err(refused)?);
    let mirror = mirror_on(&engine, mirror)?;
    let counters = mirror.as_ref().map(|mirror| Arc::clone(mirror.counters()));
    let serve = |(listener, token)| http::Server::start(listener, &engine, &store, token, counters);
    let api = api.map(serve).transpose()?;
    say_ready(&engine, api.as_ref(), mirror.as_ref());
    runtime.block_on(until_signalled(signals, engine, Beside { api, mirror }))
}

/// Starts the mirror, if there is to be one. It goes on with the observed calls that were left open; without one, they end.
fn mirror_on(engine: &Engine, place: Option<(UdpSocket, HepSettings)>) -> Result<Option<hep::Hep>, Failure> {
    let (journal, left) = (Arc::clone(engine.journal()), engine.left_watched());
    let Some((socket, settings)) = place else {
        hep::abandon(journal, left);
        return Ok(None);
    };
    hep::Hep::start(socket, settings, journal, left).map(Some)
}

/// What runs beside the engine.
struct Beside {
    api: Option<http::Server>,
    mirror: Option<hep::Hep>,
}

fn config(settings: Settings) -> Config {
    let defaults = Config::default();
    Config {
        node: settings.node.unwrap_or(defaults.node),
        listen: settings.listen,
        policy: settings.policy,
        max_calls: settings.max_calls.unwrap_or(defaults.max_calls),
        group_delay: settings.group_delay.unwrap_or(defaults.group_delay),
        signing_key: settings.signing_key,
        erasable: settings.erasable,
        checkpoint_interval: settings.checkpoint_interval.unwrap_or(defaults.checkpoint_interval),
        retention: settings.retention,
        volume_bytes: settings.volume_bytes.unwrap_or(defaults.volume_bytes),
        volume_age: settings.volume_age.unwrap_or(defaults.volume_age),
        user_agent: settings.user_agent.unwrap_or(defaults.user_agent),
        store: settings.store,
        ..Config::default()
    }
}

fn refused(error: OpenError) -> Failure {
    let message = error.to_string();
    match error {
        OpenError::Config(_) => Failure::usage(message),
        OpenError::Store(error) => Failure::new(Exit::Store, message).hint(error.hint()),
        OpenError::Journal(error) => Failure::new(Exit::Store, message).hint(error.hint()),
        OpenError::Bind { .. } | OpenError::Thread(_) => Failure::other(message),
    }
}

/// The one line on stdout that scripts wait for: `ready udp:127.0.0.1:5060 http:127.0.0.1:8080`.
fn say_ready(engine: &Engine, api: Option<&http::Server>, mirror: Option<&hep::Hep>) {
    let mut line = "ready".to_owned();
    for peer in engine.listening() {
        let _ = write!(line, " {peer}");
    }
    if let Some(api) = api {
        let _ = write!(line, " http:{}", api.addr());
    }
    if let Some(mirror) = mirror {
        let _ = write!(line, " hep:{}", mirror.addr());
    }
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_err() {
        tracing::debug!("nobody reads stdout");
    }
}

async fn until_signalled(mut signals: Signals, engine: Arc<Engine>, beside: Beside) -> Result<(), Failure> {
    let name = signals.next().await;
    tracing::info!(signal = name, "closing; a second signal ends the program at once");
    tokio::select! {
        closed = close(engine, beside) => closed,
        name = signals.next() => Err(Failure::other(format!("{name} while closing: calls were left as they were"))),
    }
}

/// The engine first, then the API: whoever follows the journal over it sees the last calls end.
async fn close(engine: Arc<Engine>, beside: Beside) -> Result<(), Failure> {
    if let Some(api) = &beside.api {
        api.release();
    }
    if let Some(mirror) = beside.mirror {
        mirror.stop().await;
    }
    let closed = close_engine(engine).await;
    if let Some(api) = beside.api {
        api.stop().await;
    }
    closed
}

/// A request that is not done may hold the engine a moment longer.
async fn close_engine(mut engine: Arc<Engine>) -> Result<(), Failure> {
    for _ in 0..PATIENCE {
        match Arc::try_unwrap(engine) {
            Ok(engine) => {
                return engine.close().await.map_err(|e| Failure::new(Exit::Store, e.to_string()).hint(HINT));
            }
            Err(held) => engine = held,
        }
        tokio::time::sleep(MOMENT).await;
    }
    Err(Failure::other("a request still holds the engine: calls were left as they were"))
}
