//! Legs of back-to-back user agents: two calls that are one for the people in them.
//!
//! Nothing in SIP says so for sure. What is taken as evidence: a name that both carry (Session-ID of RFC 7989, a private
//! header, a Call-ID made from the other), or an INVITE that leaves the host which another INVITE of the same people had
//! just gone to.

use std::collections::HashMap;
use std::net::IpAddr;

use callbox_events::call::observed::Relation;
use callbox_events::call::{Act, Event};
use callbox_events::party::Side;
use callbox_events::schema::Commit;
use smallvec::SmallVec;

use super::Sighting;
use super::observer::Slot;
use crate::wire::{HeaderName, Message, NameAddr, SipUri};

/// More calls than this at one host, or under one name, are not compared.
const MOST: usize = 64;
/// More names than this of one call are not remembered.
const MOST_NAMES: usize = 8;
/// A name shorter than this may be the same by chance.
const SHORTEST_NAME: usize = 8;

/// What is known of the legs of all calls in mind.
#[derive(Debug, Default)]
pub(super) struct Legs {
    calls: HashMap<Slot, Leg>,
    /// Calls by the host that their INVITE went to.
    by_host: HashMap<IpAddr, Vec<Slot>>,
    /// Calls by the names that they carry.
    by_name: HashMap<String, Vec<Slot>>,
}

#[derive(Debug, Default)]
struct Leg {
    host: Option<IpAddr>,
    source: Option<IpAddr>,
    from: String,
    to: String,
    names: SmallVec<[String; 2]>,
    joined: SmallVec<[(Slot, Vec<String>); 1]>,
}

/// What a call that begins has to do with an earlier one.
#[derive(Debug)]
pub(super) struct Link {
    pub other: Slot,
    pub relation: Relation,
    /// Whether a shared name says it, rather than time and place.
    pub certain: bool,
    pub because: Vec<String>,
}

impl Legs {
    /// Remembers a call that begins, and says which earlier ones it has to do with.
    pub(super) fn begin(&mut self, slot: Slot, message: &Message, sighting: &Sighting) -> Vec<Link> {
        if !message.is_request() || message.method().as_str() != "INVITE" {
            return Vec::new();
        }
        let leg = Leg {
            host: Some(sighting.destination.ip()),
            source: Some(sighting.source.ip()),
            from: user(&message.from()),
            to: user(&message.to()),
            names: names(message),
            joined: SmallVec::new(),
        };
        let mut links = self.replaced(message);
        links.extend(self.by_shared_name(&leg));
        if links.is_empty() {
            links.extend(self.by_place(&leg));
        }
        self.remember(slot, leg);
        for link in links.iter().filter(|link| link.relation == Relation::Leg) {
            let because = link.because.clone();
            for (one, other) in [(slot, link.other), (link.other, slot)] {
                if let Some(leg) = self.calls.get_mut(&one)
                    && leg.joined.len() < MOST_NAMES
                {
                    leg.joined.push((other, because.clone()));
                }
            }
        }
        links
    }

    /// The calls that `slot` is joined with.
    pub(super) fn of(&self, slot: Slot) -> Vec<Slot> {
        self.calls
            .get(&slot)
            .map(|leg| leg.joined.iter().map(|(other, _)| *other).collect())
            .unwrap_or_default()
    }

    /// Why the two are taken for legs of one call.
    pub(super) fn because(&self, slot: Slot, other: Slot) -> Vec<String> {
        let joined = self.calls.get(&slot).map(|leg| leg.joined.as_slice()).unwrap_or_default();
        joined.iter().find(|(one, _)| *one == other).map(|(_, because)| because.clone()).unwrap_or_default()
    }

    /// The two turned out to be no legs of one call.
    pub(super) fn part(&mut self, slot: Slot, other: Slot) {
        for (one, two) in [(slot, other), (other, slot)] {
            if let Some(leg) = self.calls.get_mut(&one) {
                leg.joined.retain(|(joined, _)| *joined != two);
            }
        }
    }

    pub(super) fn forget(&mut self, slot: Slot) {
        let Some(leg) = self.calls.remove(&slot) else { return };
        for (other, _) in &leg.joined {
            if let Some(other) = self.calls.get_mut(other) {
                other.joined.retain(|(joined, _)| *joined != slot);
            }
        }
        if let Some(host) = leg.host {
            drop_from(&mut self.by_host, &host, slot);
        }
        for name in &leg.names {
            drop_from(&mut self.by_name, name, slot);
        }
    }

    fn remember(&mut self, slot: Slot, leg: Leg) {
        let add = |list: &mut Vec<Slot>| {
            if list.len() >= MOST {
                list.remove(0);
            }
            list.push(slot);
        };
        if let Some(host) = leg.host {
            add(self.by_host.entry(host).or_default());
        }
        for name in &leg.names {
            add(self.by_name.entry(name.clone()).or_default());
        }
        self.calls.insert(slot, leg);
    }

    /// RFC 3891: the INVITE names the call whose place it takes.
    fn replaced(&self, message: &Message) -> Vec<Link> {
        let Some(Ok(replaces)) = message.replaces() else { return Vec::new() };
        let found = self.by_name.get(replaces.call_id).and_then(|slots| slots.last());
        let link = |other: &Slot| Link {
            other: *other,
            relation: Relation::ReplacedBy,
            certain: true,
            because: vec!["its INVITE carries Replaces with this Call-ID".into()],
        };
        found.map(link).into_iter().collect()
    }

    fn by_shared_name(&self, leg: &Leg) -> Vec<Link> {
        let found = leg.names.iter().find_map(|name| Some((name, self.by_name.get(name)?.last()?)));
        let link = |(_, other): (&String, &Slot)| Link {
            other: *other,
            relation: Relation::Leg,
            certain: true,
            because: vec!["both carry the same identifier".into()],
        };
        found.map(link).into_iter().collect()
    }

    fn by_place(&self, leg: &Leg) -> Option<Link> {
        let candidates = self.by_host.get(&leg.source?)?;
        candidates.iter().rev().find_map(|slot| {
            let other = self.calls.get(slot)?;
            let same = |one: &str, two: &str| !one.is_empty() && one == two;
            let mut because =
                vec!["its INVITE left the host that the other leg's INVITE had gone to".to_owned()];
            if same(&leg.from, &other.from) {
                because.push("the same user calls".into());
            }
            if same(&leg.to, &other.to) {
                because.push("the same user is called".into());
            }
            // A host that is both ends of everything (a laboratory on one machine) proves nothing by itself.
            let needed = if other.source == leg.source { 3 } else { 2 };
            (because.len() >= needed).then_some(Link {
                other: *slot,
                relation: Relation::Leg,
                certain: false,
                because,
            })
        })
    }
}

/// What an ending call has to tell its other leg.
pub(super) fn news(commit: &Commit) -> Option<(Relation, Side)> {
    commit.events.iter().find_map(|happened| {
        if let Event::EndSeen(end) = &happened.event {
            return Some((Relation::LegHungUp, end.by));
        }
        let Event::Ended(ended) = &happened.event else { return None };
        match (ended.act, ended.status) {
            (Act::Cancel, _) => Some((Relation::LegCancelled, ended.side)),
            (Act::FinalResponse, Some(status)) => Some((Relation::LegRefused { status }, ended.side)),
            (
                Act::Bye
                | Act::FinalResponse
                | Act::LocalRefusal
                | Act::Timeout
                | Act::TransportError
                | Act::RefreshExpired
                | Act::Replaced
                | Act::Transfer
                | Act::Discarded,
                _,
            ) => None,
        }
    })
}

fn drop_from<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Vec<Slot>>, key: &K, slot: Slot) {
    if let Some(slots) = index.get_mut(key) {
        slots.retain(|other| *other != slot);
        if slots.is_empty() {
            index.remove(key);
        }
    }
}

fn user(address: &NameAddr<'_>) -> String {
    let user = SipUri::parse(address.uri).ok().and_then(|uri| uri.user.map(str::to_owned));
    user.unwrap_or_else(|| address.uri.to_owned())
}

/// The names that another leg may carry, too: the Call-ID itself, the one that it was made from, Session-ID, private
/// headers that look like identifiers.
fn names(message: &Message) -> SmallVec<[String; 2]> {
    let call_id = message.call_id();
    let mut names: SmallVec<[String; 2]> = SmallVec::new();
    names.push(call_id.to_owned());
    let made_from = call_id.find("_b2b").or_else(|| call_id.rfind("-b2b")).and_then(|end| call_id.get(..end));
    names.extend(made_from.filter(|name| name.len() >= SHORTEST_NAME).map(str::to_owned));
    for header in &message.headers {
        let HeaderName::Other(name) = &header.name else { continue };
        let value = header.value.as_str();
        let name = name.as_str().to_ascii_lowercase();
        let value = match name.as_str() {
            "session-id" => value.split(';').next().unwrap_or_default().trim(),
            _ if name.starts_with("x-") && name.ends_with("id") => value,
            _ => continue,
        };
        let blank = value.chars().all(|c| c == '0');
        if names.len() < MOST_NAMES && value.len() >= SHORTEST_NAME && value.len() <= 256 && !blank {
            names.push(value.to_owned());
        }
    }
    names
}
