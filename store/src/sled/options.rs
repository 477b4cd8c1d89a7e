//! How a journal works. The defaults are measured; see `benches/append.rs`.

use std::sync::Arc;
use std::time::Duration;

use callbox_events::schema::sealed::Conceal;

use crate::proof::key::SigningKey;
use crate::retention::policy::Retention;

/// The most bytes of commits in one group, before they are packed: what can't be packed must still be a batch that sled
/// keeps whole.
const MAX_GROUP_BYTES: usize = 96 * 1024;

/// How a [`SledJournal`](super::SledJournal) works. The defaults are measured; see `benches/append.rs`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Under load, how long a group may grow before it is synced. Zero syncs at once always.
    pub group_delay: Duration,
    /// Under load, how much longer it may grow while nothing in it has a message or an answer waiting for its ack.
    pub relaxed_delay: Duration,
    /// The most commits of a group.
    pub group_commits: usize,
    /// The most bytes of a group before it is packed, unless it is a single commit; at most 512 KiB. More could exceed
    /// what sled keeps whole: see [`MAX_COMMIT_BYTES`](super::MAX_COMMIT_BYTES).
    pub group_bytes: usize,
    /// The most commits that may wait.
    pub queue_commits: usize,
    /// The most encoded bytes that may wait.
    pub queue_bytes: usize,
    /// What is durable is carried over to sled once there are so many packed bytes of it, and at most so many at once.
    /// More could exceed what sled keeps whole: see [`MAX_COMMIT_BYTES`](super::MAX_COMMIT_BYTES).
    pub sink_bytes: usize,
    /// After this time it is carried over in any case.
    pub sink_delay: Duration,
    /// The most bytes of a segment of the write-ahead log.
    pub segment_bytes: u64,
    /// A new volume begins when there are so many packed bytes of records in one,
    pub volume_bytes: u64,
    /// or after this time. A volume is what can be made again, and removed, by itself.
    pub volume_age: Duration,
    /// sled's cache.
    pub cache_bytes: u64,
    /// Whether other processes can read through a socket in the store's directory.
    pub serve_readers: bool,
    /// Whether a store that is not erasable yet becomes so. One that is stays so. See [`erasable`](crate::erasable).
    pub erasable: bool,
    /// What finds personal data in commits; without it an erasable store can be read but takes no commits.
    pub conceal: Option<Arc<dyn Conceal>>,
    /// What signs checkpoints; without it they are made all the same, unsigned.
    pub signing_key: Option<Arc<SigningKey>>,
    /// How long commits are kept.
    pub retention: Retention,
    /// How often a checkpoint is made while there is something to say. Zero: when asked for, and at the end.
    pub checkpoint_interval: Duration,
}

/// What sled may cache by default.
pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;

impl Default for Options {
    fn default() -> Self {
        Self {
            group_delay: Duration::from_millis(8),
            relaxed_delay: Duration::from_millis(12),
            group_commits: 512,
            group_bytes: MAX_GROUP_BYTES,
            queue_commits: 65_536,
            queue_bytes: 64 * 1024 * 1024,
            sink_bytes: 64 * 1024,
            sink_delay: Duration::from_secs(1),
            segment_bytes: 64 * 1024 * 1024,
            // About five million events of calls as they come.
            volume_bytes: 512 * 1024 * 1024,
            volume_age: Duration::from_secs(24 * 60 * 60),
            cache_bytes: CACHE_BYTES,
            serve_readers: true,
            erasable: false,
            conceal: None,
            signing_key: None,
            retention: Retention::default(),
            checkpoint_interval: Duration::from_secs(60),
        }
    }
}
