//! Packets from the socket to the queue.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use callbox::Timestamp;
use callbox::clock::Clock;
use callbox_sip::observe::Sighting;
use callbox_sip::observe::hep::{self, Content};

use super::counters::Counters;
use super::gate::Gate;

/// How long the socket is listened to before it is looked whether to stop.
pub const PATIENCE: Duration = Duration::from_millis(200);

/// How far a sender's clock may be off. Beyond, the time of receipt counts: one wrong clock must not move the time of all
/// calls.
const MAX_SKEW: Duration = Duration::from_secs(60);

/// What the thread needs.
pub struct Receiver {
    pub socket: UdpSocket,
    pub gate: Gate,
    pub messages: SyncSender<Sighting>,
    pub clock: Clock,
    pub counters: Arc<Counters>,
    pub closing: Arc<AtomicBool>,
}

impl Receiver {
    /// Receives until it is told to stop.
    pub fn run(self) {
        let mut buffer = vec![0; hep::MAX_PACKET];
        while !self.closing.load(Ordering::Relaxed) {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, sender)) if self.gate.lets_in(sender.ip()) => {
                    if !self.packet(buffer.get(..length).unwrap_or_default()) {
                        return;
                    }
                }
                Ok(_) => Counters::count(&self.counters.stranger),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => {
                    tracing::warn!(%error, "receiving HEP");
                    // A socket that keeps failing must not keep a core busy.
                    std::thread::sleep(PATIENCE);
                }
            }
        }
    }

    /// Takes a packet; `false` if nobody takes messages any more.
    fn packet(&self, bytes: &[u8]) -> bool {
        let received = self.clock.now();
        let packet = match hep::decode(bytes, received) {
            Ok(packet) => packet,
            Err(error) => {
                tracing::debug!(%error, "a HEP packet can't be read");
                Counters::count(&self.counters.malformed);
                return true;
            }
        };
        if !self.gate.believes(packet.key.as_deref()) {
            Counters::count(&self.counters.unauthorised);
            return true;
        }
        let Content::Sip(sighting) = packet.content else {
            Counters::count(&self.counters.other);
            return true;
        };
        match self.messages.try_send(self.timed(sighting, received)) {
            Ok(()) => Counters::count(&self.counters.taken),
            Err(TrySendError::Full(_)) => Counters::count(&self.counters.dropped),
            Err(TrySendError::Disconnected(_)) => return false,
        }
        true
    }

    fn timed(&self, sighting: Sighting, received: Timestamp) -> Sighting {
        if sighting.at.since(received).max(received.since(sighting.at)) <= MAX_SKEW {
            return sighting;
        }
        Counters::count(&self.counters.skewed);
        Sighting { at: received, ..sighting }
    }
}
