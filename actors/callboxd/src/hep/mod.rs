//! A mirror of other people's calls: HEP packets in, observed calls out, into the engine's journal.
//!
//! SIP servers (Kamailio's `siptrace`, OpenSIPS, FreeSWITCH, Asterisk, heplify) send a copy of each message.
//!
//! 1. [`gate`] decides who may send at all: HEP has no protection but a password in the clear.
//! 2. The receiver, a thread, reads and decodes packets and never waits: what does not fit its bounded queue is dropped
//!    and counted.
//! 3. The [`scribe`], another thread, hands the messages to the observer and what that says to the journal.
//!
//! Calls that an earlier mirror left open, because it was killed, are taken up again at the start. A daemon that starts
//! without a mirror ends them as far as they were seen: nobody watches any more ([`abandon`]).
//!
//! Everything that is not taken is counted, and shown by `/metrics`.

mod counters;
pub mod gate;
mod receiver;
mod scribe;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use callbox::CallId;
use callbox::clock::Clock;
use callbox_sip::observe::ObserverConfig;
use callbox_store::Journal;

pub use counters::Counters;

use crate::failure::Failure;
use crate::settings::HepSettings;

/// Messages that may wait for the observer.
const QUEUE: usize = 8_192;

/// A running listener.
#[derive(Debug)]
pub struct Hep {
    addr: SocketAddr,
    counters: Arc<Counters>,
    closing: Arc<AtomicBool>,
    receiver: JoinHandle<()>,
    scribe: JoinHandle<()>,
}

/// Takes the address, before anything with consequences is begun.
///
/// # Errors
/// The system's refusal.
pub fn bind(addr: SocketAddr) -> Result<UdpSocket, Failure> {
    UdpSocket::bind(addr).map_err(|e| Failure::other(format!("can't listen on hep:{addr}: {e}")))
}

/// Ends the calls `left` open by a mirror that was killed, since there is none any more.
pub fn abandon(journal: Arc<dyn Journal>, left: &[CallId]) {
    if !left.is_empty() {
        let mut scribe =
            scribe::Scribe::new(ObserverConfig::default(), journal, Clock::start(), Arc::default());
        scribe.resume(left);
        scribe.finish();
    }
}

impl Hep {
    /// Listens on `socket` and writes into `journal`. The calls `left` there by a mirror that was killed are taken up
    /// again before anything is received.
    ///
    /// # Errors
    /// If the threads can't be started.
    pub fn start(
        socket: UdpSocket,
        settings: HepSettings,
        journal: Arc<dyn Journal>,
        left: &[CallId],
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::other(format!("the HEP listener can't be started: {error}"));
        let addr = socket.local_addr().map_err(failed)?;
        socket.set_read_timeout(Some(receiver::PATIENCE)).map_err(failed)?;
        let (counters, closing) = (Arc::new(Counters::default()), Arc::new(AtomicBool::new(false)));
        let (messages, queue) = sync_channel(QUEUE);
        let clock = Clock::start();
        let receiver = receiver::Receiver {
            socket,
            gate: settings.gate,
            messages,
            clock,
            counters: Arc::clone(&counters),
            closing: Arc::clone(&closing),
        };
        let mut scribe = scribe::Scribe::new(settings.observer, journal, clock, Arc::clone(&counters));
        scribe.resume(left);
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        Ok(Self {
            addr,
            counters,
            closing,
            scribe: thread("hep-scribe").spawn(move || scribe.run(&queue)).map_err(failed)?,
            receiver: thread("hep").spawn(move || receiver.run()).map_err(failed)?,
        })
    }

    /// Where it listens, with the real port.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it counts.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Stops listening; what was received is written down, and calls that are open end as far as they were seen.
    pub async fn stop(self) {
        self.closing.store(true, Ordering::Relaxed);
        // The receiver holds the queue's other end, so the scribe ends after it.
        let join = || self.receiver.join().and(self.scribe.join());
        match tokio::task::spawn_blocking(join).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => tracing::warn!("the HEP listener's thread panicked"),
        }
    }
}
