//! The configuration of one engine.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use callbox_events::call::Policy;
use callbox_events::sip::Peer;
use callbox_store::proof::key::SigningKey;
use callbox_store::retention::policy::Retention;
use callbox_store::sled::Options;

use crate::media::{MediaAdapter, StaticPcmu};

/// How an engine behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of this node, written into every commit. Two engines that share a journal need different names.
    pub node: String,
    /// Where to listen; port 0 lets the system choose. At least one.
    pub listen: Vec<Peer>,
    /// The rules of every call, unless [`crate::PlaceCall::policy`] gives others.
    pub policy: Policy,
    /// How many calls may live at once; more are refused (486 with [`callbox_events::call::RefusalKind::MaxCalls`]).
    pub max_calls: usize,
    /// How many commits may wait for the journal before new INVITEs are answered 503 without a record.
    pub max_pending: usize,
    /// Who supplies session descriptions.
    pub media: Arc<dyn MediaAdapter>,
    /// The directory of the journal; not used by [`crate::Engine::open_with`].
    pub store: PathBuf,
    /// Under load, how long commits may wait for one another before they are synced together: longer costs less CPU and
    /// answers later. Not used by [`crate::Engine::open_with`].
    pub group_delay: Duration,
    /// Whether the journal becomes erasable: each party's personal data is kept under a key of its own from then on, so
    /// that destroying the key erases it (`callbox erase`). Costs CPU and space for every call; a journal that is erasable
    /// stays so. Not used by [`crate::Engine::open_with`].
    pub erasable: bool,
    /// What signs the journal's checkpoints; without it they are made unsigned. Not used by [`crate::Engine::open_with`].
    pub signing_key: Option<Arc<SigningKey>>,
    /// How often the journal makes a checkpoint, which also says that this engine listens; zero: only when it closes. Not
    /// used by [`crate::Engine::open_with`].
    pub checkpoint_interval: Duration,
    /// How long records are kept. Not used by [`crate::Engine::open_with`].
    pub retention: Retention,
    /// The most bytes of a volume of the journal, the unit that is removed. Not used by [`crate::Engine::open_with`].
    pub volume_bytes: u64,
    /// The longest time that one volume is written to. Not used by [`crate::Engine::open_with`].
    pub volume_age: Duration,
    /// How many threads the calls are spread over; 0: half of the machine's cores, at least one.
    pub arbiters: usize,
    /// User-Agent and Server.
    pub user_agent: String,
    /// What the random identifiers (branches, tags, Call-IDs) grow from; none: from the system's randomness.
    pub seed: Option<u64>,
    /// What [`crate::Engine::close`] does with live calls.
    pub shutdown: ShutdownPolicy,
}

/// What closing the engine does with live calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownPolicy {
    /// End them and wait this long until the other sides have agreed.
    End {
        /// The longest wait.
        grace: Duration,
    },
    /// Leave them as they are: the next engine on this journal goes on with them.
    Keep,
}

impl Default for Config {
    fn default() -> Self {
        let journal = Options::default();
        Self {
            node: "callbox".into(),
            listen: Vec::new(),
            policy: Policy::default(),
            max_calls: 100_000,
            max_pending: 8_192,
            media: Arc::new(StaticPcmu::default()),
            store: PathBuf::from("callbox-store"),
            group_delay: journal.group_delay,
            erasable: journal.erasable,
            signing_key: journal.signing_key,
            checkpoint_interval: journal.checkpoint_interval,
            retention: journal.retention,
            volume_bytes: journal.volume_bytes,
            volume_age: journal.volume_age,
            arbiters: 0,
            user_agent: concat!("callbox/", env!("CARGO_PKG_VERSION")).into(),
            seed: None,
            shutdown: ShutdownPolicy::End { grace: Duration::from_secs(2) },
        }
    }
}

impl Config {
    /// How many arbiters to run.
    pub(crate) fn arbiter_count(&self) -> usize {
        match self.arbiters {
            0 => (std::thread::available_parallelism().map_or(1, usize::from) / 2).max(1),
            given => given,
        }
    }
}
