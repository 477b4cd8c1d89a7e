//! The language of the tables.
//!
//! ```text
//! A>P INVITE; P>B INVITE; +1s; B>P 180; P>A 180; A>P CANCEL; B>P 487; P>A 487; A>P ACK
//! ```
//! Ends are capital letters, in the order in which the first INVITE meets them: the first is the caller. A message to an
//! earlier end is a request of the callee, or a response to the caller. `+1s`, `+43ms` let time pass; each message takes
//! one millisecond. Words behind a message:
//!
//! | word | meaning |
//! |---|---|
//! | `BYE` after a status | which request it answers; INVITE otherwise |
//! | `again=10x3s` | ten copies, one every three seconds |
//! | `call=c2` | another Call-ID |
//! | `tag=x`, `ftag=y`, `cseq=7`, `branch=z`, `vias=2` | what would otherwise be made up to fit |
//! | `notag` | no tag of the callee |
//! | `down` | of a request of the caller, whatever the order of the ends |
//! | `sdp`, `sdp=sendonly` | a session description |
//! | `reason="Q.850;cause=16"`, `h="X-Y: z"`, `body="..."` | headers and body as given |
//! | `from=`, `to=`, `contact=`, `port=` | users, Contact host, the sender's port |
//! | `auth` | credentials |
//! | `media=M` | where its session description wants audio, if not at the sender |
//! | `bytes="..."` instead of a message | anything; `\n` is CRLF |
//!
//! `kill` kills the observer and begins another one on the record of the first. `tone busy A` is heard now in audio that is sent to A and has sounded for three seconds; `tone busy A 5s` for five.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use callbox_events::call::EventKind;
use callbox_events::schema::{Commit, StoredCommit};
use callbox_events::sip::Transport;
use callbox_events::verdict::Confidence;
use callbox_events::{CallId, Timestamp};
use callbox_sip::observe::tones::{Tone, ToneKind};
use callbox_sip::observe::{Observer, ObserverConfig, Sighting};

use crate::wires::Wire;

/// A script on its way.
#[derive(Default)]
pub struct Script {
    now: u64,
    ends: Vec<char>,
    dialogs: HashMap<String, Dialog>,
    pub sightings: Vec<Sighting>,
    /// What was heard, and before which of the sightings.
    pub tones: Vec<(usize, SocketAddr, Tone)>,
    /// Where the observer is killed: before which of the sightings, and when.
    kills: Vec<(usize, Timestamp)>,
}

/// What the messages of one Call-ID have in common so far.
#[derive(Default, Clone)]
struct Dialog {
    /// The last CSeq of each side: caller's, callee's.
    last: [u32; 2],
    /// The last CSeq of each method of each side.
    of: HashMap<(bool, String), u32>,
    refused: bool,
}

impl Script {
    /// Plays a script.
    pub fn play(text: &str) -> Vec<Sighting> {
        Self::played(text).sightings
    }

    /// What an observer makes of a script, messages and tones.
    pub fn watched(text: &str) -> Vec<Vec<StoredCommit>> {
        let Self { sightings, tones, kills, .. } = Self::played(text);
        let mut observer = Observer::new(ObserverConfig::default());
        let mut commits = Vec::new();
        let mut tones = tones.into_iter().peekable();
        for index in 0..=sightings.len() {
            while let Some((_, addr, tone)) = tones.next_if(|(before, ..)| *before == index) {
                commits.extend(observer.hear(tone.until, addr, tone));
            }
            for (_, at) in kills.iter().filter(|(before, _)| *before == index) {
                observer = resumed(&commits, *at);
            }
            commits.extend(sightings.get(index).into_iter().flat_map(|one| observer.see(one.clone())));
        }
        commits.extend(observer.finish());
        by_call(commits)
    }

    fn played(text: &str) -> Self {
        let mut script = Self { now: 1_700_000_000_000_000, ..Self::default() };
        for step in split(text, ';') {
            script.step(step.trim());
        }
        script
    }

    fn step(&mut self, step: &str) {
        if step.is_empty() {
            return;
        }
        if step == "kill" {
            self.kills.push((self.sightings.len(), Timestamp::from_micros(self.now)));
            return;
        }
        if let Some(span) = step.strip_prefix('+') {
            self.now += span_of(span);
            return;
        }
        let words = split(step, ' ');
        if let ["tone", words @ ..] = words.as_slice() {
            return self.tone(words);
        }
        let (ends, what) = (words[0], words.get(1).copied().unwrap_or_default());
        let mut letters = ends.chars();
        let (source, arrow, target) = (letters.next(), letters.next(), letters.next());
        assert_eq!(arrow, Some('>'), "{step}");
        let (source, target) = (source.unwrap(), target.unwrap());
        for end in [source, target] {
            if !self.ends.contains(&end) {
                self.ends.push(end);
            }
        }
        let options = Options(words.get(2..).unwrap_or_default().to_vec());
        let bytes = match what.strip_prefix("bytes=") {
            Some(text) => text.trim_matches('"').replace("\\n", "\r\n").into_bytes(),
            None => self.message(source, target, what, &options),
        };
        let (copies, every) = options.get("again").map_or((0, 0), |again| {
            let (count, span) = again.split_once('x').unwrap();
            (count.parse().unwrap(), span_of(span))
        });
        self.now += 1000;
        for copy in 0..=copies {
            let at = Timestamp::from_micros(self.now + copy * every);
            let port = options.get("port").map_or(5060, |port| port.parse().unwrap());
            self.sightings.push(Sighting {
                at,
                source: address(source, port),
                destination: address(target, 5060),
                transport: if options.has("tcp") { Transport::Tcp } else { Transport::Udp },
                bytes: bytes.clone().into(),
            });
        }
        self.now += copies * every;
    }

    fn tone(&mut self, words: &[&str]) {
        let kind = match words[0] {
            "busy" => ToneKind::Busy,
            "congestion" => ToneKind::Congestion,
            "ringback" => ToneKind::Ringback,
            "sit" => ToneKind::SpecialInformation,
            other => panic!("no tone: {other}"),
        };
        let took = Duration::from_micros(words.get(2).map_or(3_000_000, |span| span_of(span)));
        let tone = heard(kind, Timestamp::from_micros(self.now + 1000), took);
        self.tones.push((self.sightings.len(), address(words[1].parse().unwrap(), 4000), tone));
    }

    fn message(&mut self, source: char, target: char, what: &str, options: &Options<'_>) -> Vec<u8> {
        let place = |end: char| self.ends.iter().position(|known| *known == end).unwrap();
        let (from, to) = (place(source), place(target));
        let status: Option<u16> = what.parse().ok();
        let method = match status {
            Some(_) => options.0.first().copied().filter(|word| is_method(word)).unwrap_or("INVITE"),
            None => what,
        };
        // Whose request it is, or answers.
        let by_caller = options.has("down") || (from < to) == status.is_none();
        let call = options.get("call").unwrap_or("c1").to_owned();
        let dialog = self.dialogs.entry(call.clone()).or_default();
        let originates = status.is_none() && (from == 0 || from + 1 == self.ends.len());
        let invite = dialog.of.get(&(by_caller, "INVITE".to_owned())).copied().unwrap_or(1);
        let cseq = match options.get("cseq") {
            Some(number) => number.parse().unwrap(),
            None if matches!(method, "ACK" | "CANCEL") => invite,
            None if originates => dialog.last[usize::from(!by_caller)] + 1,
            None => dialog.of.get(&(by_caller, method.to_owned())).copied().unwrap_or(1),
        };
        dialog.last[usize::from(!by_caller)] = cseq;
        dialog.of.insert((by_caller, method.to_owned()), cseq);
        let initial = method == "INVITE" && status.is_none() && by_caller && !options.has("tag");
        let tag = match (options.get("tag"), status) {
            (Some(tag), _) => Some(tag),
            (None, Some(100)) => None,
            _ if options.has("notag") || initial || (method == "CANCEL" && status.is_none()) => None,
            (None, _) => Some("b"),
        };
        // Vias count from the end that sent the request; a response has those of the request on the same hop.
        let sender = if status.is_some() { to } else { from };
        let hop = if by_caller { sender } else { self.ends.len() - 1 - sender };
        let shares = match method {
            "CANCEL" => "INVITE",
            "ACK" if dialog.refused => "INVITE",
            method => method,
        };
        let branch = format!("z9hG4bK-{shares}-{cseq}-{}", self.ends[sender]);
        if let Some(status @ 200..) = status
            && method == "INVITE"
        {
            dialog.refused = status >= 300;
        }
        Wire {
            method,
            status,
            call: &call,
            caller_tag: options.get("ftag").unwrap_or("a"),
            callee_tag: tag,
            by_caller,
            cseq,
            branch: options.get("branch").unwrap_or(&branch),
            vias: match options.get("vias") {
                Some(count) => count.parse().unwrap(),
                // A CANCEL, and the ACK of a failure, are made hop by hop (RFC 3261 §9.1, §17.1.1.3).
                None if shares != method || method == "CANCEL" => 1,
                None => hop + 1,
            },
            source: address(source, 5060),
            options,
        }
        .bytes()
    }
}

/// Words behind a message.
pub struct Options<'a>(Vec<&'a str>);

impl<'a> Options<'a> {
    pub fn get(&self, key: &str) -> Option<&'a str> {
        let value = self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))?;
        Some(value.trim_matches('"'))
    }

    pub fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let found = self.0.iter().filter_map(move |word| word.strip_prefix(key)?.strip_prefix('='));
        found.map(|value| value.trim_matches('"'))
    }

    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|word| word.split('=').next() == Some(key))
    }
}

/// A tone that is heard at `until` and has sounded for so long.
pub fn heard(kind: ToneKind, until: Timestamp, took: Duration) -> Tone {
    Tone { kind, from: until - took, until, confidence: Confidence::Strong }
}

/// Where an end is.
pub fn address(end: char, port: u16) -> SocketAddr {
    ([10, 0, 0, u8::try_from(u32::from(end) - u32::from('A') + 1).unwrap()], port).into()
}

/// What an observer makes of it, call by call in the order in which they began.
pub fn observe(sightings: Vec<Sighting>) -> Vec<Vec<StoredCommit>> {
    let mut observer = Observer::new(ObserverConfig::default());
    let mut commits = Vec::new();
    for sighting in sightings {
        commits.extend(observer.see(sighting));
    }
    commits.extend(observer.finish());
    assert_eq!(observer.calls(), 0, "a call was kept in mind after the end");
    by_call(commits)
}

/// An observer that takes up at `now` what another one left open when it was killed.
pub fn resumed(commits: &[Commit], now: Timestamp) -> Observer {
    let mut observer = Observer::new(ObserverConfig::default());
    assert_eq!(observer.wait(now), []);
    for call in by_call(commits.to_vec()) {
        let record: Vec<Commit> = call.into_iter().map(|stored| stored.commit).collect();
        let released = record.iter().flat_map(|commit| &commit.events);
        if !released.clone().any(|happened| happened.event.kind() == EventKind::Released) {
            assert_eq!(observer.resume(&record), Ok(Vec::new()));
        }
    }
    observer
}

/// Commits sorted into their calls.
pub fn by_call(commits: Vec<Commit>) -> Vec<Vec<StoredCommit>> {
    let mut order: Vec<CallId> = Vec::new();
    let mut calls: HashMap<CallId, Vec<StoredCommit>> = HashMap::new();
    let mut seq = 0;
    for commit in commits {
        if !order.contains(&commit.call) {
            order.push(commit.call);
        }
        let events = commit.events.len() as u64;
        calls.entry(commit.call).or_default().push(StoredCommit::plain(seq, [0; 32], commit));
        seq += events;
    }
    order.iter().map(|call| calls.remove(call).unwrap()).collect()
}

fn is_method(word: &str) -> bool {
    word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn span_of(text: &str) -> u64 {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().unwrap();
    let span = match unit {
        "us" => Duration::from_micros(number),
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "h" => Duration::from_secs(number * 3600),
        other => panic!("no unit: {other}"),
    };
    u64::try_from(span.as_micros()).unwrap()
}

/// Splits outside of quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut quoted = false;
    let is_cut = move |c: char| {
        quoted ^= c == '"';
        c == at && !quoted
    };
    text.split(is_cut).filter(|part| !part.is_empty()).collect()
}
