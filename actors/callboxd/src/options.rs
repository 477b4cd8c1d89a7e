//! The options of `callboxd serve`: one list, read from flags and from a TOML file alike.
//!
//! Every option is optional here; [`Options::over`] lays the flags over the file, and `settings` turns the result into
//! what the server runs with, complaining about what is missing.

mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use serde::Deserialize;

pub use values::{Incoming, Listener, OnRestart, Seconds, Span};

use crate::failure::Failure;
use crate::hep::gate::Allowed;

/// Options of `serve`. In a file the keys are the flags without the leading dashes, e.g. `answer-after = 0`.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Options {
    /// Directory of the journal; created if absent
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,

    /// Where to listen for SIP; repeatable: udp:IP:PORT or tcp:IP:PORT, port 0 picks a free one
    #[arg(long, value_name = "TRANSPORT:IP:PORT")]
    pub listen: Vec<Listener>,

    /// Where to offer the control API; off without it
    #[arg(long, value_name = "IP:PORT")]
    pub http: Option<SocketAddr>,

    /// File whose first line is the token that API clients must present (Authorization: Bearer)
    #[arg(long, value_name = "FILE")]
    pub http_token_file: Option<PathBuf>,

    /// Where to take in HEP, the mirror of other people's calls that SIP servers send: udp:IP:PORT; off without it
    #[arg(long, value_name = "TRANSPORT:IP:PORT")]
    pub hep: Option<Listener>,

    /// Who may send HEP; repeatable: an IP address, a network (192.0.2.0/24) or any [default: this machine]
    #[arg(long, value_name = "WHO")]
    pub hep_allow: Vec<Allowed>,

    /// File whose first line is the password that each HEP packet must carry (version 3 alone can)
    #[arg(long, value_name = "FILE")]
    pub hep_password_file: Option<PathBuf>,

    /// Give up a mirrored call of which nothing was seen for this long [default: 4 hours]
    #[arg(long, value_name = "SECS")]
    pub hep_idle: Option<Seconds>,

    /// What happens to a new call without a command.
    #[arg(
        long,
        value_name = "WHAT",
        help = "What happens to a new call without a command: ring, answer, reject[:STATUS] or busy [default: ring]"
    )]
    pub incoming: Option<Incoming>,

    /// Ring this long after the INVITE; 0 = at once
    #[arg(long, value_name = "MS")]
    pub ring_after: Option<u64>,

    /// Answer this long after the INVITE; 0 = at once
    #[arg(long, value_name = "MS")]
    pub answer_after: Option<u64>,

    /// Hang up this long after a call connected; 0 = at once
    #[arg(long, value_name = "MS")]
    pub hangup_after: Option<u64>,

    /// Give up a call that nobody answers after this time: a caller cancels, a callee answers 480
    #[arg(long, value_name = "SECS")]
    pub no_answer: Option<Seconds>,

    /// End any call that is connected for this long
    #[arg(long, value_name = "SECS")]
    pub max_duration: Option<Seconds>,

    /// End an answered call that looks like an announcement after this time
    #[arg(long, value_name = "SECS")]
    pub announcement_max: Option<Seconds>,

    /// A host that plays announcements in place of the called party, as a clue for the verdict; repeatable
    #[arg(long, value_name = "HOST")]
    pub announcement_host: Vec<String>,

    /// Wait no longer than this for the answer to our BYE [default: 64*T1]
    #[arg(long, value_name = "MS")]
    pub end_grace: Option<u64>,

    /// What happens to connected calls after a crash: resume or end [default: resume]
    #[arg(long, value_name = "WHAT")]
    pub on_restart: Option<OnRestart>,

    /// Calls at the same time before new ones are refused with 486
    #[arg(long, value_name = "N")]
    pub max_calls: Option<usize>,

    /// T1 of RFC 3261, the estimate of a round trip; all SIP time-outs follow it [default: 500]
    #[arg(long, value_name = "MS")]
    pub t1: Option<u32>,

    /// Under load, how long records may wait to be synced together; more costs less CPU, less answers sooner
    /// [default: 8]
    #[arg(long, value_name = "MS")]
    pub group_delay: Option<u64>,

    /// Keep each party's numbers, names and addresses under a key of its own, so that `callbox erase` can destroy them;
    /// the store stays so from then on. Three to four times the space, see store/FORMAT.md
    #[arg(long)]
    pub erasable: bool,

    /// Private key that signs the journal's checkpoints, as `callbox key new` makes it; unsigned without it
    #[arg(long, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,

    /// How often the journal makes a checkpoint, which also says that we listen; 0 = only at the end [default: 60]
    #[arg(long, value_name = "SECS")]
    pub checkpoint_interval: Option<Seconds>,

    /// Remove records that are older than this, volume by volume: 30d, 2w, 12h; calls that `callbox hold` holds stay
    /// [default: keep everything]
    #[arg(long, value_name = "TIME")]
    pub keep_for: Option<Span>,

    /// Remove the oldest volumes of the journal while it takes more than this: 500MB, 20GiB [default: keep everything]
    #[arg(long, value_name = "SIZE")]
    pub keep_size: Option<ByteSize>,

    /// Begin a new volume of the journal, the unit that is removed, when the newest has so many bytes
    /// [default: 512MiB]
    #[arg(long, value_name = "SIZE")]
    pub volume_size: Option<ByteSize>,

    /// Begin a new volume when the newest is so old [default: 24h]
    #[arg(long, value_name = "TIME")]
    pub volume_age: Option<Span>,

    /// Product name in our SIP messages
    #[arg(long, value_name = "TEXT")]
    pub user_agent: Option<String>,

    /// Name of this node in the journal
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
}

impl Options {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// A usage failure if it can't be read or holds anything but known options.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::usage(format!("the configuration file {shown} can't be read: {e}")))?;
        toml::from_str(&text).map_err(|e| {
            Failure::usage(format!("the configuration file {shown} is wrong: {e}"))
                .hint("its keys are the flags of `callboxd serve --help` without the leading dashes")
        })
    }

    /// These options where given, those of `below` elsewhere. A list replaces the other list.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            store: self.store.or(below.store),
            listen: if self.listen.is_empty() { below.listen } else { self.listen },
            http: self.http.or(below.http),
            http_token_file: self.http_token_file.or(below.http_token_file),
            hep: self.hep.or(below.hep),
            hep_allow: if self.hep_allow.is_empty() { below.hep_allow } else { self.hep_allow },
            hep_password_file: self.hep_password_file.or(below.hep_password_file),
            hep_idle: self.hep_idle.or(below.hep_idle),
            incoming: self.incoming.or(below.incoming),
            ring_after: self.ring_after.or(below.ring_after),
            answer_after: self.answer_after.or(below.answer_after),
            hangup_after: self.hangup_after.or(below.hangup_after),
            no_answer: self.no_answer.or(below.no_answer),
            max_duration: self.max_duration.or(below.max_duration),
            announcement_max: self.announcement_max.or(below.announcement_max),
            announcement_host: if self.announcement_host.is_empty() {
                below.announcement_host
            } else {
                self.announcement_host
            },
            end_grace: self.end_grace.or(below.end_grace),
            on_restart: self.on_restart.or(below.on_restart),
            max_calls: self.max_calls.or(below.max_calls),
            t1: self.t1.or(below.t1),
            group_delay: self.group_delay.or(below.group_delay),
            erasable: self.erasable || below.erasable,
            signing_key: self.signing_key.or(below.signing_key),
            checkpoint_interval: self.checkpoint_interval.or(below.checkpoint_interval),
            keep_for: self.keep_for.or(below.keep_for),
            keep_size: self.keep_size.or(below.keep_size),
            volume_size: self.volume_size.or(below.volume_size),
            volume_age: self.volume_age.or(below.volume_age),
            user_agent: self.user_agent.or(below.user_agent),
            node: self.node.or(below.node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Options {
        toml::from_str(text).expect("a good file")
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_nothing() {
        let file =
            parse("store = \"/a\"\nlisten = [\"udp:127.0.0.1:5060\"]\nanswer-after = 100\nno-answer = 2.5\n");
        let flags = Options {
            answer_after: Some(0),
            listen: vec!["tcp:127.0.0.1:0".parse().expect("a listener")],
            ..Options::default()
        };
        let both = flags.over(file);
        assert_eq!(both.store.as_deref(), Some(Path::new("/a")));
        assert_eq!(both.answer_after, Some(0));
        assert_eq!(both.listen.len(), 1);
        assert_eq!(both.listen[0].to_string(), "tcp:127.0.0.1:0");
        assert_eq!(both.no_answer.map(Seconds::millis), Some(2500));
    }

    #[test]
    fn an_unknown_key_and_a_wrong_value_are_told_by_name() {
        let wrong = |text: &str| toml::from_str::<Options>(text).expect_err("wrong").to_string();
        assert!(wrong("lissten = []").contains("lissten"));
        assert!(wrong("listen = [\"tls:127.0.0.1:5061\"]").contains("not in this version"));
        assert!(wrong("incoming = \"maybe\"").contains("ring, answer"));
    }
}
