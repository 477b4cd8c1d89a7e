//! The demo's clock: shortened, and said so in its output.

use std::time::Duration;

use callbox_events::call::SipTimers;

/// T1 is 500 ms in the field; everything of RFC 3261 follows it.
pub const TIMERS: SipTimers = SipTimers { t1_ms: 40, t2_ms: 320, t4_ms: 400 };

/// B gives up ringing after this.
pub const CALLEE_PATIENCE_MS: u64 = 1_500;

/// A gives up after this in the flow about it.
pub const CALLER_PATIENCE_MS: u64 = 600;

/// The server gives up after this in the flows about it.
pub const SERVER_PATIENCE_MS: u64 = 600;

/// When a flow that has not ended is called stuck. A flow takes about 3 · 64·T1 at most.
pub const STUCK: Duration = Duration::from_secs(30);
