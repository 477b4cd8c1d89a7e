//! What `callboxd serve` runs with: the options, checked and completed.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use callbox_events::call::{Policy, RecoveryPolicy, SipTimers};
use callbox_events::sip::{Peer, Transport};
use callbox_sip::observe::ObserverConfig;
use callbox_store::proof::key::SigningKey;
use callbox_store::retention::policy::Retention;

use crate::failure::Failure;
use crate::hep::gate::Gate;
use crate::http::Token;
use crate::options::{Incoming, OnRestart, Options, Seconds, Span};

/// Everything the server needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Directory of the journal.
    pub store: PathBuf,
    /// Where to listen for SIP; never empty.
    pub listen: Vec<Peer>,
    /// The control API, if wanted.
    pub http: Option<HttpSettings>,
    /// The mirror of other people's calls, if wanted.
    pub hep: Option<HepSettings>,
    /// The rules of every call.
    pub policy: Policy,
    /// Calls at the same time; `None`: the engine's own limit.
    pub max_calls: Option<usize>,
    /// How long records may wait for one another under load; `None`: the engine's own choice.
    pub group_delay: Option<Duration>,
    /// Whether the journal is to be erasable.
    pub erasable: bool,
    /// What signs checkpoints.
    pub signing_key: Option<Arc<SigningKey>>,
    /// How often a checkpoint is made; `None`: the engine's own choice.
    pub checkpoint_interval: Option<Duration>,
    /// How long records are kept.
    pub retention: Retention,
    /// The most bytes of a volume of the journal; `None`: the engine's own choice.
    pub volume_bytes: Option<u64>,
    /// The longest time that one volume is written to; `None`: the engine's own choice.
    pub volume_age: Option<Duration>,
    /// Product name in SIP messages; `None`: the engine's own.
    pub user_agent: Option<String>,
    /// Name of this node in the journal.
    pub node: Option<String>,
}

/// The control API.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Where.
    pub addr: SocketAddr,
    /// What clients must present.
    pub token: Option<Token>,
}

/// The mirror of other people's calls.
#[derive(Debug, Clone)]
pub struct HepSettings {
    /// Where.
    pub addr: SocketAddr,
    /// Who may send.
    pub gate: Gate,
    /// What is kept in mind of the calls.
    pub observer: ObserverConfig,
}

impl TryFrom<Options> for Settings {
    type Error = Failure;

    fn try_from(options: Options) -> Result<Self, Failure> {
        Ok(Self {
            policy: policy(&options)?,
            http: http(options.http, options.http_token_file.as_deref())?,
            hep: hep(&options)?,
            store: options.store.ok_or_else(|| {
                Failure::usage("no store was given").hint("--store DIR names the directory of the journal")
            })?,
            listen: listen(&options.listen)?,
            max_calls: options.max_calls,
            group_delay: options.group_delay.map(group_delay).transpose()?,
            erasable: options.erasable,
            signing_key: options.signing_key.as_deref().map(signing_key).transpose()?,
            checkpoint_interval: options.checkpoint_interval.map(Seconds::millis).map(Duration::from_millis),
            retention: Retention {
                age: options.keep_for.map(|Span(age)| age),
                bytes: options.keep_size.map(|size| size.as_u64()),
                unfinished: false,
            },
            volume_bytes: options.volume_size.map(volume_bytes).transpose()?,
            volume_age: options.volume_age.map(|Span(age)| age),
            user_agent: options.user_agent.map(header_text).transpose()?,
            node: options.node,
        })
    }
}

fn listen(listeners: &[crate::options::Listener]) -> Result<Vec<Peer>, Failure> {
    if listeners.is_empty() {
        return Err(Failure::usage("no listener was given").hint("--listen udp:127.0.0.1:5060, for example"));
    }
    Ok(listeners.iter().map(|listener| listener.0).collect())
}

fn http(addr: Option<SocketAddr>, token_file: Option<&Path>) -> Result<Option<HttpSettings>, Failure> {
    let token = token_file.map(Token::read).transpose()?;
    let Some(addr) = addr else { return Ok(None) };
    if !addr.ip().is_loopback() && token.is_none() {
        return Err(Failure::usage(format!("--http {addr} would let anybody control calls"))
            .hint("listen on 127.0.0.1, or give a --http-token-file"));
    }
    Ok(Some(HttpSettings { addr, token }))
}

fn hep(options: &Options) -> Result<Option<HepSettings>, Failure> {
    let password = options.hep_password_file.as_deref().map(Token::read).transpose()?;
    let gate = Gate { allowed: options.hep_allow.clone(), password };
    let Some(crate::options::Listener(Peer { transport, addr })) = options.hep else { return Ok(None) };
    if transport != Transport::Udp {
        return Err(Failure::usage(format!("--hep takes udp:, not {transport}:")));
    }
    if !addr.ip().is_loopback() && gate.allowed.is_empty() {
        return Err(Failure::usage(format!("--hep {addr} would let anybody write calls into the journal"))
            .hint("name who may send with --hep-allow IP or --hep-allow NETWORK; --hep-allow any lets everybody"));
    }
    let mut observer = ObserverConfig::default();
    if let Some(idle) = options.hep_idle {
        observer.idle = Duration::from_millis(idle.millis());
    }
    Ok(Some(HepSettings { addr, gate, observer }))
}

fn policy(options: &Options) -> Result<Policy, Failure> {
    let incoming: Incoming = options.incoming.unwrap_or_default();
    Ok(Policy {
        incoming: incoming.policy(options.ring_after, options.answer_after),
        ring_after_ms: options.ring_after,
        answer_after_ms: options.answer_after,
        hangup_after_ms: options.hangup_after,
        no_answer_ms: options.no_answer.map(Seconds::millis),
        announcement_max_ms: options.announcement_max.map(Seconds::millis),
        announcement_hosts: options.announcement_host.clone(),
        max_duration_ms: options.max_duration.map(Seconds::millis),
        end_grace_ms: options.end_grace,
        recovery: options.on_restart.map_or_else(RecoveryPolicy::default, |OnRestart(policy)| policy),
        sip: options.t1.map_or_else(|| Ok(SipTimers::default()), timers)?,
    })
}

/// The timers for a given T1, in the proportions of RFC 3261 §17.1.1.1.
fn timers(t1_ms: u32) -> Result<SipTimers, Failure> {
    if !(1..=10_000).contains(&t1_ms) {
        return Err(Failure::usage("--t1 takes 1 to 10000 ms"));
    }
    Ok(SipTimers { t1_ms, t2_ms: t1_ms * 8, t4_ms: t1_ms * 10 })
}

/// A wait that an answer to an INVITE can bear.
fn group_delay(ms: u64) -> Result<Duration, Failure> {
    if ms > 200 {
        return Err(Failure::usage("--group-delay takes 0 to 200 ms"));
    }
    Ok(Duration::from_millis(ms))
}

/// Each volume costs files, memory and time at every opening.
fn volume_bytes(size: ByteSize) -> Result<u64, Failure> {
    if size < ByteSize::mib(1) {
        return Err(Failure::usage("--volume-size takes 1MiB or more"));
    }
    Ok(size.as_u64())
}

/// Reads a private key. Others should not be able to; whether they are is the operator's affair, but told.
fn signing_key(path: &Path) -> Result<Arc<SigningKey>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|e| Failure::usage(format!("the signing key {shown} can't be read: {e}")))?;
    let key = SigningKey::parse(&text).map_err(|e| {
        Failure::usage(format!("{shown} holds no private key: {e}"))
            .hint("`callbox key new -o FILE` makes a key; --signing-key takes FILE, verifiers take FILE.pub")
    })?;
    let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(file = %shown, "others can read the signing key; chmod 600 keeps it private");
    }
    Ok(Arc::new(key))
}

/// A text that may stand in a SIP header.
fn header_text(text: String) -> Result<String, Failure> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Failure::usage("--user-agent must be one line of text"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use callbox_events::call::IncomingPolicy;

    use super::*;

    fn complete() -> Options {
        Options {
            store: Some("/nowhere".into()),
            listen: vec!["udp:127.0.0.1:0".parse().expect("a listener")],
            ..Options::default()
        }
    }

    #[test]
    fn a_store_and_a_listener_suffice_and_calls_ring_by_default() {
        let settings = Settings::try_from(complete()).expect("complete");
        assert_eq!(settings.policy, Policy { incoming: IncomingPolicy::Ring, ..Policy::default() });
        assert!(settings.http.is_none());
    }

    #[test]
    fn what_is_missing_or_unsafe_is_told_with_a_remedy() {
        for (options, complaint, remedy) in [
            (Options { store: None, ..complete() }, "no store", "--store"),
            (Options { listen: Vec::new(), ..complete() }, "no listener", "--listen"),
            (Options { http: "0.0.0.0:8080".parse().ok(), ..complete() }, "anybody", "--http-token-file"),
            (Options { http_token_file: Some("/nowhere/token".into()), ..complete() }, "/nowhere/token", ""),
            (Options { hep: "udp:0.0.0.0:9060".parse().ok(), ..complete() }, "anybody", "--hep-allow"),
            (Options { hep: "tcp:127.0.0.1:9060".parse().ok(), ..complete() }, "--hep takes udp:", ""),
            (Options { hep_password_file: Some("/nowhere/key".into()), ..complete() }, "/nowhere/key", ""),
            (
                Options { signing_key: Some("/nowhere/callbox.key".into()), ..complete() },
                "/nowhere/callbox.key",
                "",
            ),
            (Options { t1: Some(0), ..complete() }, "--t1", ""),
            (Options { group_delay: Some(201), ..complete() }, "--group-delay", ""),
            (Options { volume_size: Some(ByteSize::kib(1)), ..complete() }, "--volume-size", ""),
            (Options { user_agent: Some("a\r\nEvil: 1".into()), ..complete() }, "--user-agent", ""),
        ] {
            let failure = Settings::try_from(options).expect_err(complaint);
            assert_eq!(failure.exit, crate::failure::Exit::Usage);
            assert!(failure.message.contains(complaint), "{failure}");
            assert!(failure.hint.unwrap_or_default().contains(remedy), "{complaint}");
        }
    }

    #[test]
    fn a_shortened_t1_shortens_the_other_timers_in_proportion() {
        let settings = Settings::try_from(Options { t1: Some(50), ..complete() }).expect("complete");
        assert_eq!(settings.policy.sip, SipTimers { t1_ms: 50, t2_ms: 400, t4_ms: 500 });
    }
}
