//! `callbox join`: two records of the same calls, put together and held against each other.

mod side;

use std::path::PathBuf;

use callbox_events::Role;
use callbox_events::schema::StoredCommit;
use callbox_events::verdict::{Direction, Verdict};
use callbox_events::view::join::{
    Absence, Basis, CallKey, Clocks, Joined, Matched, Presence, is_nearer_to_the_caller, join, match_calls,
    merged,
};
use callbox_store::FindError;
use serde_json::{Value, json};
use side::{Side, sides};

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::render;

const EXAMPLES: &str = "\
Examples:
  callbox join alice/store bob/store                  every call that both have, and where they contradict
  callbox join alice/store bob/store --call 3f2a      one call: both records as one ladder
  callbox join alice/store trunk.pcapng               what an engine recorded against what passed on the wire
  callbox join case.recording other/store             a portable recording is as good as its store
  callbox join alice/store http://10.0.0.5:8080       a store and a running callboxd
  callbox join alice/store bob/store --json | jq 'select(.contradictions != [])'

A and B are each the directory of a store, the URL of a running callboxd, a recording (`callbox export --format recording`), or a capture as `callbox
import` reads it (pcap, pcapng, HEP; `-` is standard input); which of them the content says. A capture shows a call on its
way: it stands in for the end that lies behind it, and what a one-sided or cut capture lacks proves nothing.

A call that went through unchanged is matched by Call-ID and tags. Where something between began a call of its own, it is
matched by Session-ID, or by parties and time if nothing else fits; such a pair is said to be inferred.
With --json there is one pair a line, then the calls of one side alone, then {\"summary\"}. Exits with 1 if there is a
contradiction.";

/// Match two records of the same calls (stores, recordings, captures): one ladder, agreements, contradictions
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// One record: a store directory, the URL of a running callboxd, a recording or a capture
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The other one; the same store for an engine that calls itself
    #[arg(value_name = "B")]
    b: PathBuf,
    /// Only this call, with its ladder: an id or a prefix of one in A or B, or a SIP Call-ID
    #[arg(long, value_name = "CALL")]
    call: Option<String>,
}

/// A pair as it is shown.
pub struct Pair<'a> {
    pub a: &'a CallKey,
    pub b: &'a CallKey,
    pub basis: Basis,
    pub joined: Joined,
    /// Whether A's record is the caller's.
    pub a_is_caller: bool,
    caller: Vec<StoredCommit>,
    callee: Vec<StoredCommit>,
}

/// A call that only one side has.
pub struct Single<'a> {
    pub call: &'a CallKey,
    /// `A` or `B`.
    pub side: &'static str,
    pub absence: Absence,
}

/// What was found in all.
#[derive(Debug, Default)]
pub struct Tally {
    pub joined: u64,
    pub inferred: u64,
    pub contradictions: u64,
    pub only_a: u64,
    pub only_b: u64,
    /// How far B's clock is ahead of A's.
    pub clocks: Clocks,
}

/// Runs the command.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let (a, b) = sides(&args.a, &args.b, common)?;
    let matches = match_calls(&a.calls, &b.calls);
    let wanted = args.call.as_deref().map(|call| chosen(call, &a, &b, &matches)).transpose()?;
    let mut tally = Tally::default();
    for matched in
        matches.iter().filter(|matched| wanted.as_ref().is_none_or(|wanted| wanted.contains(matched)))
    {
        let Some(pair) = pair(&a, &b, matched)? else { continue };
        tally.take(&pair);
        show(&pair, wanted.is_some(), common, out)?;
    }
    if wanted.is_none() {
        for single in singles(&a, &b, &matches, tally.clocks) {
            tally.take_single(&single);
            if common.json {
                out.json(&json!({
                    "only": single.side, "call_id": single.call.call, "sip_call_id": single.call.sip_call_id,
                    "why": absence(single.absence),
                }))?;
            } else {
                render::join::single(out, &single)?;
            }
        }
        if common.json {
            out.json(&json!({"summary": tally.document()}))?;
        } else {
            render::join::summary(out, &tally)?;
        }
    }
    Ok(if tally.contradictions == 0 { ExitCode::Ok } else { ExitCode::Finding })
}

/// The pairs of the call that is named in A, or else in B.
fn chosen(named: &str, a: &Side, b: &Side, matches: &[Matched]) -> Result<Vec<Matched>, Failure> {
    let id = |side: &Side| match callbox_store::find(side.reader.as_ref(), named.trim_end_matches('…')) {
        Ok(call) => Ok(vec![call]),
        Err(FindError::NotFound { .. }) => Ok(Vec::new()),
        Err(FindError::Ambiguous { matches, .. }) => Ok(matches),
        Err(FindError::Read(error)) => Err(Failure::from(error)),
    };
    let ids = [id(a)?, id(b)?].concat();
    let is = |side: &Side, index: usize| side.calls.get(index).is_some_and(|key| ids.contains(&key.call));
    let found: Vec<Matched> =
        matches.iter().filter(|matched| is(a, matched.a) || is(b, matched.b)).copied().collect();
    match (ids.is_empty(), found.is_empty()) {
        (true, _) => Err(Failure::new(
            ExitCode::NotFound,
            "call_not_found",
            format!("no call is named `{named}`"),
        )
        .hint("CALL is an id or a prefix of one in A or B, or a SIP Call-ID; without --call all are listed")),
        (false, true) => Err(Failure::new(
            ExitCode::NotFound,
            "not_joined",
            format!("only one of the two has the call `{named}`"),
        )
        .hint("without --call the list says of each such call whether the other one should have it")),
        (false, false) => Ok(found),
    }
}

fn pair<'a>(a: &'a Side, b: &'a Side, matched: &Matched) -> Result<Option<Pair<'a>>, Failure> {
    let (Some(key_a), Some(key_b)) = (a.calls.get(matched.a), b.calls.get(matched.b)) else {
        return Ok(None);
    };
    let (one, two) = (a.reader.read(key_a.call)?, b.reader.read(key_b.call)?);
    let a_is_caller =
        is_nearer_to_the_caller((&one, key_a.direction), (&two, key_b.direction), matched.basis);
    let (caller, callee) = if a_is_caller { (one, two) } else { (two, one) };
    let joined = join(&caller, &callee, matched.basis);
    Ok(Some(Pair { a: key_a, b: key_b, basis: matched.basis, joined, a_is_caller, caller, callee }))
}

fn show(pair: &Pair<'_>, with_ladder: bool, common: &Common, out: &mut Output) -> Result<(), Failure> {
    let estimate = pair.joined.clocks.estimate();
    let ladder = if with_ladder { merged(&pair.caller, &pair.callee, pair.basis, estimate) } else { None };
    if common.json {
        let mut document = pair.document();
        if let (Some(ladder), Some(fields)) = (&ladder, document.as_object_mut()) {
            fields.insert("ladder".into(), serde_json::to_value(ladder)?);
        }
        return out.json(&document);
    }
    render::join::pair(out, pair, with_ladder)?;
    if let Some(ladder) = &ladder {
        render::join::clocks(out, pair)?;
        render::ladder::text::draw(out, ladder)?;
    }
    Ok(())
}

/// The calls that one side alone has.
fn singles<'a>(a: &'a Side, b: &'a Side, matches: &[Matched], clocks: Clocks) -> Vec<Single<'a>> {
    let ahead = clocks.estimate().map_or(0, |estimate| estimate.offset_us);
    let (in_a, in_b) = (Presence::of(&a.calls), Presence::of(&b.calls));
    let matched_a: std::collections::BTreeSet<usize> = matches.iter().map(|matched| matched.a).collect();
    let matched_b: std::collections::BTreeSet<usize> = matches.iter().map(|matched| matched.b).collect();
    let alone = |side: &'a Side, matched: &std::collections::BTreeSet<usize>| {
        let rest = side.calls.iter().enumerate().filter(|(index, _)| !matched.contains(index));
        rest.map(|(_, call)| call).collect::<Vec<_>>()
    };
    let of_a = alone(a, &matched_a).into_iter().map(|call| Single {
        call,
        side: "A",
        absence: in_b.without(call, ahead),
    });
    let of_b = alone(b, &matched_b).into_iter().map(|call| Single {
        call,
        side: "B",
        absence: in_a.without(call, -ahead),
    });
    of_a.chain(of_b).collect()
}

impl Pair<'_> {
    /// How far B's clock is ahead of A's.
    pub fn clocks(&self) -> Clocks {
        if self.a_is_caller { self.joined.clocks } else { self.joined.clocks.turned() }
    }

    /// Whether a side's record is an observer's.
    pub fn is_observed(&self, side: &str) -> bool {
        (if side == "A" { self.a } else { self.b }).direction == Direction::Observed
    }

    /// The end whose record a side holds, or that an observer's record stands in for.
    pub fn role(&self, side: &str) -> Role {
        if (side == "A") == self.a_is_caller { Role::Caller } else { Role::Callee }
    }

    /// The verdict by a side's record.
    pub fn verdict(&self, side: &str) -> &Verdict {
        match self.role(side) {
            Role::Caller => &self.joined.caller,
            Role::Callee => &self.joined.callee,
        }
    }

    fn document(&self) -> Value {
        let side = |name: &str, key: &CallKey| {
            json!({
                "call_id": key.call, "sip_call_id": key.sip_call_id, "role": self.role(name),
                "direction": key.direction,
                "verdict": brief(self.verdict(name)),
            })
        };
        json!({
            "a": side("A", self.a), "b": side("B", self.b),
            "joined_by": self.basis, "inferred": self.basis.is_inferred(),
            "agrees": self.joined.contradictions.is_empty(),
            "agreements": self.joined.agreements,
            "contradictions": self.joined.contradictions,
            "lost": self.joined.lost,
            "clocks": clocks_document(self.clocks()),
        })
    }
}

impl Tally {
    fn take(&mut self, pair: &Pair<'_>) {
        self.joined += 1;
        self.inferred += u64::from(pair.basis.is_inferred());
        self.contradictions += pair.joined.contradictions.len() as u64;
        self.clocks = self.clocks.with(pair.clocks());
    }

    fn take_single(&mut self, single: &Single<'_>) {
        *(if single.side == "A" { &mut self.only_a } else { &mut self.only_b }) += 1;
        self.contradictions += u64::from(single.absence == Absence::NoRecord);
    }

    fn document(&self) -> Value {
        json!({
            "joined": self.joined, "inferred": self.inferred, "only_a": self.only_a, "only_b": self.only_b,
            "contradictions": self.contradictions, "clocks": clocks_document(self.clocks),
        })
    }
}

fn brief(verdict: &Verdict) -> Value {
    json!({
        "family": verdict.family, "cause": verdict.cause, "side": verdict.ended_by.side,
        "agent": verdict.ended_by.agent, "status": verdict.sip.status, "confidence": verdict.confidence,
    })
}

/// How far B's clock is ahead of A's, as bounds and in one number.
fn clocks_document(clocks: Clocks) -> Value {
    json!({"b_ahead": clocks.estimate(), "at_least_us": clocks.at_least_us, "at_most_us": clocks.at_most_us})
}

/// A stable code.
fn absence(absence: Absence) -> &'static str {
    match absence {
        Absence::Elsewhere => "not_expected",
        Absence::NeverArrived => "never_arrived",
        Absence::NoRecord => "no_record",
    }
}
