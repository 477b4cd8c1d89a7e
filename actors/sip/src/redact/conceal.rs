//! What erasable journals are written with: each party's data under pseudonyms of its own.
//!
//! Whose something is:
//! - An address in From, To, P-Asserted-Identity, Diversion, History-Info, Referred-By, Refer-To or the like names a
//!   person: all calls from or to the same number, or the same name at the same host, are the same person's.
//! - The host and the display name beside such an address belong to that person.
//! - What only says where somebody is belongs to who sent it: Contact, session description, socket addresses, tags. Via
//!   and Call-ID belong to the caller, or to who sent the request.
//! - Where two people are at the same host, each has it beside the own address; with one of them it does not go from the
//!   other.
//! - A number of the call belongs to whose number it is, wherever it stands.
//! - What belongs to nobody in particular (routes, words between strangers) belongs to caller and callee together, and is
//!   lost with either. What is taken out as a whole (bodies that are no session description, headers of encoded
//!   identities, folded headers) belongs to everybody in the call, and is lost with the first.
//! - Whoever does not say who they are is one person, `anonymous`.

use std::io;

use callbox_events::call::{Event, Input};
use callbox_events::schema::Commit;
use callbox_events::schema::sealed::{Conceal, ConcealCall, Concealed, Extent, Hole, Ring};

use super::out::Out;
use super::people::{Disguise, People, identity};
use super::text::digits_of;
use super::{Known, Level, Masks, Person, Scope, Sides, Whose};

/// A commit is looked at again as long as something new is learned from it, but not for ever.
const MOST_PASSES: usize = 4;

/// Finds the personal data of SIP calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Concealer;

impl Conceal for Concealer {
    fn call(&self) -> Box<dyn ConcealCall> {
        Box::new(Call { known: Known::learning(), people: People::default(), sides: None })
    }

    fn identity(&self, text: &str) -> Result<String, String> {
        let text = text.trim();
        if text == "anonymous" {
            return Ok(text.to_owned());
        }
        if let Some(digits) = digits_of(text) {
            return Ok(identity(Person::Number(&digits)));
        }
        let uri = if super::uri::starts(text) { text.to_owned() } else { format!("sip:{text}") };
        super::uri::identity(&uri).ok_or_else(|| format!("`{text}` is neither a number nor an address"))
    }
}

/// One call.
struct Call {
    known: Known,
    people: People,
    sides: Option<Two>,
}

/// The two who talk.
#[derive(Debug, Clone, Copy)]
struct Two {
    caller: Whose,
    callee: Whose,
    /// Which of them is this end; `None` if the call is only watched.
    local: Option<Whose>,
}

impl ConcealCall for Call {
    fn commit(
        &mut self,
        commit: &Commit,
        encoded: &[u8],
        extent: Extent,
        ring: &dyn Ring,
    ) -> io::Result<Concealed> {
        let disguise = Disguise::new(&mut self.people, ring);
        let mut scope = Scope::new(Level::All, disguise, Whose::NOBODY);
        scope.known = std::mem::take(&mut self.known);
        let two = *self.sides.get_or_insert_with(|| Two::of(commit, &mut scope));
        scope.everybody = two.caller.with(two.callee);
        scope.messages_whole = extent == Extent::Messages;
        let mut out = Out::default();
        let mut written = Ok(());
        for _ in 0..MOST_PASSES {
            out.clear();
            let everybody = scope.masks.everybody();
            written = scope.commit(encoded, two.sides(&commit.input), &mut out);
            if !scope.known.has_grown() && scope.masks.everybody() == everybody {
                break;
            }
        }
        self.known = std::mem::take(&mut scope.known);
        let failed = scope.masks.failed.take();
        drop(scope);
        if let Some(error) = failed {
            return Err(error);
        }
        written.map_err(|what| io::Error::new(io::ErrorKind::InvalidData, what))?;
        let holes = out.holes.into_iter().map(|hole| Hole {
            at: hole.at,
            length: hole.length,
            original: hole.original,
            whose: hole.whose.bits(),
        });
        let people = self.people.numbers();
        Ok(Concealed { bytes: out.bytes, holes: holes.collect(), originals: out.originals, people })
    }

    fn people(&self) -> Vec<u32> {
        self.people.numbers()
    }
}

impl Two {
    /// By the first commit of a call.
    fn of(commit: &Commit, scope: &mut Scope<Disguise<'_>>) -> Self {
        let mut side = |uri: &str| {
            let named = scope.person_named(uri);
            named.unwrap_or_else(|| scope.masks.anonymous())
        };
        for happened in &commit.events {
            match &happened.event {
                Event::Placed(placed) => {
                    let (caller, callee) = (side(&placed.from), side(&placed.to));
                    return Self { caller, callee, local: Some(caller) };
                }
                Event::Offered(offered) => {
                    let (caller, callee) = (side(&offered.from), side(&offered.to));
                    return Self { caller, callee, local: Some(callee) };
                }
                Event::Observed(observed) => {
                    let (caller, callee) = (side(&observed.from), side(&observed.to));
                    return Self { caller, callee, local: None };
                }
                Event::Sent { .. }
                | Event::Progressed(_)
                | Event::Rang(_)
                | Event::EarlyMedia(_)
                | Event::Answered(_)
                | Event::Connected
                | Event::Media(_)
                | Event::MediaRequested { .. }
                | Event::MediaRefused { .. }
                | Event::Ending(_)
                | Event::EndingSent
                | Event::Ended(_)
                | Event::Recovered(_)
                | Event::Released(_)
                | Event::Noted(_)
                | Event::FoundConnected
                | Event::CancelSeen
                | Event::EndSeen(_) => {}
            }
        }
        // No call begins like this; whatever it is, it must not be left open.
        let nobody = scope.masks.anonymous();
        Self { caller: nobody, callee: nobody, local: None }
    }

    fn sides(self, input: &Input) -> Sides {
        let Self { caller, callee, local } = self;
        let both = caller.with(callee);
        // The dialog of a watched call is written as the caller has it.
        let here = local.unwrap_or(caller);
        let there = if here == caller { callee } else { caller };
        let (peer, speaker) = match (local, input) {
            (None, _) => (both, both),
            (Some(_), Input::Signal(_)) => (there, there),
            (Some(_), Input::Command(_) | Input::Timer(_) | Input::Recovery(_) | Input::Observed(_)) => {
                (there, here)
            }
        };
        Sides { caller, callee, local: here, remote: there, peer, speaker }
    }
}
