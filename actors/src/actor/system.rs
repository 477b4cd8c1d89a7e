//! The engine's threads: one actix system, one arbiter or more.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;

use actix::{Arbiter, System};
use callbox_events::schema::Commit;
use callbox_events::sip::Peer;
use callbox_sip::ids::SeededIds;
use callbox_store::Journal;
use callbox_store::proof::beat::Liveness;
use tokio::sync::{mpsc, oneshot};

use super::inbound::Router;
use super::shard::{Place, Shard};
use super::work::Work;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::OpenError;
use crate::transport::{Listening, Sink, TransportOptions, Transports};

/// How much work may wait for one arbiter.
const WORK: usize = 1_024;

/// The engine's threads as its owner sees them.
#[derive(Debug)]
pub(crate) struct Running {
    /// The way to each shard.
    pub(crate) shards: Vec<mpsc::Sender<Work>>,
    /// Where it listens.
    pub(crate) listening: Vec<Peer>,
    stop: Option<oneshot::Sender<()>>,
    stopped: Option<oneshot::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Stops all threads and waits for their end.
    pub(crate) async fn stop(&mut self) {
        self.stop.take();
        if let Some(stopped) = self.stopped.take() {
            let _ = stopped.await;
        }
        self.join();
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the engine's thread panicked");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        self.join();
    }
}

/// What every shard is made of.
#[derive(Clone)]
struct Parts {
    config: Arc<Config>,
    journal: Arc<dyn Journal>,
    clock: Clock,
    secret: [u8; 24],
    live: Arc<AtomicUsize>,
    calls: Arc<Vec<Vec<Commit>>>,
    count: usize,
}

/// Starts the engine's threads; returns when it listens.
pub(crate) fn start(
    config: Arc<Config>,
    journal: Arc<dyn Journal>,
    calls: Vec<Vec<Commit>>,
) -> Result<Running, OpenError> {
    let count = config.arbiter_count();
    let secret = secret(config.seed);
    let clock = Clock::start();
    let parts = Parts { config, journal, clock, secret, live: Arc::default(), calls: Arc::new(calls), count };
    let (shards, work): (Vec<_>, Vec<_>) = (0..count).map(|_| mpsc::channel(WORK)).unzip();
    let (ready, is_ready) = std::sync::mpsc::channel();
    let (stop, stopping) = oneshot::channel();
    let (at_end, stopped) = oneshot::channel();
    let others: Vec<mpsc::Sender<Work>> = shards.iter().skip(1).cloned().collect();
    let thread = std::thread::Builder::new()
        .name("callbox-engine".into())
        .spawn(move || {
            System::new().block_on(run(parts, work, others, ready, stopping));
            let _ = at_end.send(());
        })
        .map_err(|error| OpenError::Thread(error.to_string()))?;
    match is_ready.recv() {
        Ok(Ok(listening)) => {
            Ok(Running { shards, listening, stop: Some(stop), stopped: Some(stopped), thread: Some(thread) })
        }
        Ok(Err(error)) => {
            let _ = thread.join();
            Err(error)
        }
        Err(_) => {
            let _ = thread.join();
            Err(OpenError::Thread("it ended while starting".into()))
        }
    }
}

/// The life of the first arbiter: it owns the sockets, and the other arbiters.
async fn run(
    parts: Parts,
    work: Vec<mpsc::Receiver<Work>>,
    others: Vec<mpsc::Sender<Work>>,
    ready: std::sync::mpsc::Sender<Result<Vec<Peer>, OpenError>>,
    stopping: oneshot::Receiver<()>,
) {
    let shard = parts.shard(0);
    let router = Router { own: Rc::clone(&shard), others };
    let sink: Sink = Rc::new(move |event| router.take(event));
    let options = TransportOptions::default();
    let transports = match Transports::bind(&parts.config.listen, options, sink).await {
        Ok(transports) => transports,
        Err(error) => {
            let _ = ready.send(Err(OpenError::Bind { peer: error.peer, detail: error.detail }));
            return;
        }
    };
    let listening = transports.listening().to_vec();
    let alive: Arc<dyn Liveness> =
        Arc::new(Listening { node: parts.config.node.clone(), transports: transports.clone() });
    parts.journal.attend(Arc::downgrade(&alive));
    let arbiters = RefCell::new(Vec::new());
    for (index, work) in work.into_iter().enumerate() {
        let (parts, transports) = (parts.clone(), transports.clone());
        if index == 0 {
            live(&shard, &parts, transports, work);
        } else {
            let arbiter = Arbiter::new();
            arbiter.spawn_fn(move || live(&parts.shard(index), &parts, transports, work));
            arbiters.borrow_mut().push(arbiter);
        }
    }
    let _ = ready.send(Ok(listening));
    // Ends with an error when the engine is dropped, which is what we wait for.
    let _ = stopping.await;
    // While it is still true that we listen.
    parts.journal.checkpoint();
    transports.close().await;
    for arbiter in arbiters.take() {
        arbiter.stop();
        let _ = arbiter.join();
    }
}

/// Starts the tasks of a shard on the current arbiter.
fn live(shard: &Rc<Shard>, parts: &Parts, transports: Transports, work: mpsc::Receiver<Work>) {
    shard.connect(transports);
    shard.recover(&parts.calls);
    actix::spawn(Rc::clone(shard).keep_time());
    actix::spawn(Rc::clone(shard).do_work(work));
}

impl Parts {
    fn shard(&self, index: usize) -> Rc<Shard> {
        let mut secret = [0; 32];
        let (head, tail) = secret.split_at_mut(self.secret.len());
        head.copy_from_slice(&self.secret);
        tail.copy_from_slice(&(index as u64).to_be_bytes());
        Shard::new(
            Arc::clone(&self.config),
            Arc::clone(&self.journal),
            self.clock,
            Place { index, count: self.count },
            SeededIds::from_secret(secret),
            Arc::clone(&self.live),
        )
    }
}

/// What the identifiers grow from: the given seed, or the system's randomness (which `RandomState` draws from).
fn secret(seed: Option<u64>) -> [u8; 24] {
    let mut secret = [0; 24];
    for (index, part) in secret.chunks_exact_mut(8).enumerate() {
        let word = match seed {
            Some(seed) => seed.wrapping_add(index as u64),
            None => {
                let mut hasher = RandomState::new().build_hasher();
                hasher.write_usize(index);
                hasher.finish()
            }
        };
        part.copy_from_slice(&word.to_be_bytes());
    }
    secret
}
