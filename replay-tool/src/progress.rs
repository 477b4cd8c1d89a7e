//! Progress of long work, on standard error, only where somebody looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that shows up once the work takes longer than a moment.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for `events` events.
    pub fn events(events: u64) -> Self {
        Self::styled(Some(events), "reading {bar:30} {human_pos} of {human_len} events, {eta} left")
    }

    /// A bar for a file of `bytes` bytes; without an end for a pipe.
    pub fn bytes(bytes: Option<u64>) -> Self {
        let style = match bytes {
            Some(_) => "reading {bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "reading {spinner} {bytes}, {bytes_per_sec}",
        };
        Self::styled(bytes, style)
    }

    fn styled(length: Option<u64>, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// `events` of `all` are done.
    pub fn reached(&self, events: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(events);
    }

    /// So many are done, of as many as were told.
    pub fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// `events` more are done.
    pub fn advance(&self, events: u64) {
        self.0.inc(events);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
