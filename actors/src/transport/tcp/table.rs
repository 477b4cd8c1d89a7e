//! The table of connections, shared by senders on any thread and the tasks.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::Link;

/// Messages that may wait for a connection to take them.
const QUEUE: usize = 1_024;

/// One connection as senders see it.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// What is to be sent.
    pub queue: mpsc::Sender<Bytes>,
    /// Whether it stands.
    pub link: watch::Receiver<Link>,
}

/// What the task of a new connection holds: the queue's end and the link's state.
pub(super) type New = (mpsc::Receiver<Bytes>, watch::Sender<Link>);

/// All connections of one listener, by the other end's address.
#[derive(Debug)]
pub(super) struct Table {
    limit: usize,
    entries: Mutex<HashMap<SocketAddr, Entry>>,
}

impl Table {
    /// An empty table for at most `limit` connections.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, entries: Mutex::new(HashMap::new()) }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<SocketAddr, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection to `to`, or a place for a new one.
    pub(super) fn get_or_insert(&self, to: SocketAddr) -> Result<(Entry, Option<New>), String> {
        let mut entries = self.entries();
        if let Some(entry) = entries.get(&to) {
            // A task that is about to end has closed its queue already: that connection is over.
            if !entry.queue.is_closed() {
                return Ok((entry.clone(), None));
            }
        } else if entries.len() >= self.limit {
            return Err("the limit of connections is reached".to_owned());
        }
        let (entry, new) = place(Link::Connecting);
        entries.insert(to, entry.clone());
        Ok((entry, Some(new)))
    }

    /// A place for a connection that came in; `None` if the table is full.
    pub(super) fn insert_accepted(&self, from: SocketAddr) -> Option<mpsc::Receiver<Bytes>> {
        let mut entries = self.entries();
        if entries.len() >= self.limit {
            return None;
        }
        let (entry, (queued, _link)) = place(Link::Up);
        entries.insert(from, entry);
        Some(queued)
    }

    /// Forgets the connection whose queue is closed; one that took its place stays.
    pub(super) fn remove_closed(&self, other: SocketAddr) {
        let mut entries = self.entries();
        if entries.get(&other).is_some_and(|entry| entry.queue.is_closed()) {
            entries.remove(&other);
        }
    }
}

fn place(link: Link) -> (Entry, New) {
    let (queue, queued) = mpsc::channel(QUEUE);
    let (state, link) = watch::channel(link);
    (Entry { queue, link }, (queued, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn one_connection_serves_an_address_until_it_closes() {
        let table = Table::new(2);
        let (_, new) = table.get_or_insert(addr(1)).expect("room");
        let new = new.expect("new");
        assert!(table.get_or_insert(addr(1)).expect("the same").1.is_none());
        drop(new);
        assert!(table.get_or_insert(addr(1)).expect("a successor").1.is_some());
    }

    #[test]
    fn a_closing_task_does_not_take_its_successor_along() {
        let table = Table::new(2);
        drop(table.get_or_insert(addr(1)).expect("room").1);
        let successor = table.get_or_insert(addr(1)).expect("room").1;
        table.remove_closed(addr(1));
        assert!(table.get_or_insert(addr(1)).expect("still there").1.is_none());
        drop(successor);
    }

    #[test]
    fn the_table_is_bounded_for_both_ways() {
        let table = Table::new(1);
        let kept = table.insert_accepted(addr(1));
        assert!(kept.is_some());
        assert!(table.insert_accepted(addr(2)).is_none());
        assert!(table.get_or_insert(addr(3)).is_err());
        drop(kept);
        table.remove_closed(addr(1));
        assert!(table.get_or_insert(addr(3)).is_ok());
    }
}
