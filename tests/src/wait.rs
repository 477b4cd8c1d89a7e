//! Waiting for something to become true, within a bound.

use std::time::{Duration, Instant};

/// The bound for everything that should happen at once on an idle machine. Generous, because test machines are busy.
pub const SOON: Duration = Duration::from_secs(15);

/// How often a condition that cannot announce itself is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until `found` yields something; panics with `what` if it does not within `bound`.
///
/// For conditions that have no event of their own (a port that another program opens, a process that ends).
/// Notifications have one: see [`crate::events::Events`].
pub fn until<T>(what: &str, bound: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(start.elapsed() < bound, "waited {bound:?} in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}
