//! Compares checkpoints with the journal they were made of.
//!
//! The tree is built again from the commits as they are now; wherever it has the size of a checkpoint, it must have its
//! root. Two kinds of checkpoints are compared at once: those that the store keeps, which are linked to each other,
//! and those that somebody kept elsewhere, which also show that an end was cut off or history was written anew.
//!
//! If the oldest commits were removed, the tree begins with what is known of them. A checkpoint that covers nothing else
//! has no commits to be compared with; it counts if it stands in the chain that leads to later ones.

use std::collections::{HashSet, VecDeque};
use std::iter::Peekable;

use callbox_events::Timestamp;

use super::checkpoint::text_hash;
use super::cut::Cut;
use super::entries::{Entry, EntryError};
use super::key::{PublicKey, Standing};
use super::leaf::Leaf;
use super::tree::{Frontier, Hash};
use crate::retention::pruned::Pruned;
use crate::verify::{Damage, Report};

/// The store's own checkpoints, in the order they were written.
pub type Kept<'a> = Box<dyn Iterator<Item = Result<Entry, EntryError>> + 'a>;

/// How far a checkpoint reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The commits it covers.
    pub commits: u64,
    /// Their events: the global sequence number behind the last.
    pub events: u64,
    /// When it was made.
    pub time: Timestamp,
}

/// What was found of checkpoints. What is wrong with them is in the [`Report`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seals {
    /// How many the store keeps.
    pub checkpoints: u64,
    /// How many of them are signed with a given key.
    pub signed: u64,
    /// How many of them nobody signed.
    pub unsigned: u64,
    /// How many that were kept elsewhere were compared.
    pub elsewhere: u64,
    /// How far the newest sound one reaches.
    pub covered: Option<Reach>,
    /// How far the newest sound one that is signed with a given key reaches.
    pub vouched: Option<Reach>,
    /// Whether the file ends in the middle of one, as after a loss of power.
    pub cut: bool,
    /// How many cover only commits that were removed since: their signatures and their chain are all there is to check.
    pub before: u64,
    /// What was removed.
    pub pruned: Option<Cut>,
}

/// One comparison, fed with every commit in order.
pub struct Audit<'a> {
    keys: &'a [PublicKey],
    kept: Numbered<'a>,
    next: Option<Due>,
    elsewhere: Peekable<std::collections::vec_deque::IntoIter<Entry>>,
    frontier: Frontier,
    events: u64,
    /// The number of commits that were removed before the first that comes.
    begins: u64,
    /// Those kept elsewhere that cover nothing else, by their texts: the store must have them as well.
    gone: Vec<Entry>,
    known: HashSet<Hash>,
    /// Once a root differs, all later ones do.
    diverged: bool,
    seals: Seals,
}

/// A checkpoint that waits for the tree to reach its size.
struct Due {
    name: String,
    entry: Entry,
    standing: Standing,
}

struct Numbered<'a> {
    entries: Kept<'a>,
    number: u64,
    link: Link,
    time: Timestamp,
}

/// What the next checkpoint must name as the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nothing: it is the first.
    First,
    /// This.
    To(Hash),
    /// Anything: the one before can't be read, or is not looked at.
    Unknown,
}

impl<'a> Audit<'a> {
    /// Compares `kept`, what the store keeps, and `elsewhere`, in any order. Signatures count that are made with `keys`.
    #[must_use]
    pub fn new(kept: Kept<'a>, mut elsewhere: Vec<Entry>, keys: &'a [PublicKey]) -> Self {
        elsewhere.sort_by_key(|entry| entry.checkpoint.tree.size);
        let kept = Numbered { entries: kept, number: 0, link: Link::First, time: Timestamp::default() };
        Self {
            keys,
            kept,
            next: None,
            elsewhere: VecDeque::from(elsewhere).into_iter().peekable(),
            frontier: Frontier::new(),
            events: 0,
            begins: 0,
            gone: Vec::new(),
            known: HashSet::new(),
            diverged: false,
            seals: Seals::default(),
        }
    }

    /// The same from a place on: the tree is `frontier`, its commits have so many events, and `kept` begins with the
    /// checkpoint of it.
    #[must_use]
    pub fn resume(kept: Kept<'a>, frontier: Frontier, events: u64) -> Self {
        let mut audit = Self::new(kept, Vec::new(), &[]);
        audit.kept.link = Link::Unknown;
        Self { frontier, events, ..audit }
    }

    /// The oldest commits were removed: the tree begins with what is known of them.
    #[must_use]
    pub fn after(mut self, pruned: Option<&Pruned>) -> Self {
        let Some(Pruned { cut, frontier }) = pruned else { return self };
        let gone = |entry: &Entry| entry.checkpoint.tree.size < cut.commits;
        while let Some(entry) = self.elsewhere.next_if(gone) {
            self.gone.push(entry);
        }
        self.seals.pruned = Some(*cut);
        Self { frontier: frontier.clone(), events: cut.events, begins: cut.commits, ..self }
    }

    /// Looks at what stands before the first commit; to be called once, first.
    pub fn begin(&mut self, report: &mut Report) {
        self.next = self.pull(report);
        self.compare(report);
    }

    /// Takes the next commit.
    pub fn add(&mut self, leaf: &Leaf, report: &mut Report) {
        self.frontier.push(leaf.hash());
        self.events = leaf.end();
        self.compare(report);
    }

    /// The tree as far as it was built, and the number of events in it.
    #[must_use]
    pub fn built(&self) -> (&Frontier, u64) {
        (&self.frontier, self.events)
    }

    /// Looks at what reaches beyond the last commit. `whole` says that all commits were taken: otherwise that
    /// checkpoints reach further is a consequence of what is reported already.
    pub fn finish(mut self, whole: bool, report: &mut Report) -> Seals {
        let commits = self.frontier.size();
        while let Some(due) = self.next.take() {
            if whole && !self.diverged {
                report.add(short(due.name, &due.entry, commits));
                self.diverged = true;
            }
            self.next = self.pull(report);
        }
        for entry in self.elsewhere.by_ref() {
            self.seals.elsewhere += 1;
            if whole {
                report.add(short(elsewhere(&entry), &entry, commits));
            }
        }
        for entry in std::mem::take(&mut self.gone) {
            self.seals.elsewhere += 1;
            if standing(&entry, self.keys) == Standing::Forged {
                report.add(forged(elsewhere(&entry)));
            } else if !self.known.contains(&text_hash(&entry.note)) {
                report.add(unknown(&entry));
            }
        }
        if let Some(what) = self.missing_signature() {
            report.add(Damage { place: "the checkpoints".into(), what });
        }
        self.seals
    }

    fn missing_signature(&self) -> Option<String> {
        let key = self.keys.first()?;
        match (self.seals.checkpoints, self.seals.signed) {
            (0, _) => Some("there are none: nothing is signed".into()),
            (_, 0) => Some(format!("none is signed by {}", key.name())),
            _ => None,
        }
    }

    /// Compares everything that is due at the current size.
    fn compare(&mut self, report: &mut Report) {
        let size = self.frontier.size();
        while let Some(due) = self.next.take_if(|due| due.entry.checkpoint.tree.size <= size) {
            self.weigh(due, report);
            self.next = self.pull(report);
        }
        while let Some(entry) = self.elsewhere.next_if(|entry| entry.checkpoint.tree.size <= size) {
            self.seals.elsewhere += 1;
            if standing(&entry, self.keys) == Standing::Forged {
                report.add(forged(elsewhere(&entry)));
            } else if entry.checkpoint.tree.root != self.frontier.root() {
                report.add(differs(elsewhere(&entry), &entry, self.seals.covered));
            }
        }
    }

    fn weigh(&mut self, due: Due, report: &mut Report) {
        let Due { name, entry, standing } = due;
        let (size, checkpoint) = (self.frontier.size(), &entry.checkpoint);
        if checkpoint.tree.size < self.begins {
            self.seals.before += 1;
            return;
        }
        if let Some(told) = checkpoint.extension.pruned
            && self.seals.pruned.is_none_or(|pruned| pruned.commits < told.commits)
        {
            let what =
                format!("it says that {} commits were removed by then, but the store does not", told.commits);
            report.add(Damage { place: name.clone(), what });
        }
        if checkpoint.tree.size < size {
            let what = format!("it covers {} commits, fewer than one before it", checkpoint.tree.size);
            report.add(Damage { place: name, what });
            return;
        }
        if self.diverged {
            return;
        }
        if checkpoint.tree.root != self.frontier.root() {
            report.add(differs(name, &entry, self.seals.covered));
            self.diverged = true;
            return;
        }
        if checkpoint.extension.events.is_some_and(|events| events != self.events) {
            let what = format!("it names another number of events than the {} there are", self.events);
            report.add(Damage { place: name, what });
        }
        let time = checkpoint.extension.time.unwrap_or_default();
        let reach = Reach { commits: size, events: self.events, time };
        self.seals.covered = Some(reach);
        if standing == Standing::Signed {
            self.seals.vouched = Some(reach);
        }
    }

    /// The next checkpoint that can be read; what is wrong with it by itself is reported.
    fn pull(&mut self, report: &mut Report) -> Option<Due> {
        loop {
            let entry = self.kept.entries.next()?;
            self.kept.number += 1;
            match entry {
                Ok(entry) => return Some(self.look(entry, report)),
                Err(EntryError::Cut) => self.seals.cut = true,
                Err(error) => {
                    self.kept.link = Link::Unknown;
                    let place = format!("checkpoint {}", self.kept.number);
                    report.add(Damage { place, what: error.to_string() });
                }
            }
        }
    }

    fn look(&mut self, entry: Entry, report: &mut Report) -> Due {
        let kept = &mut self.kept;
        let extension = &entry.checkpoint.extension;
        let time = extension.time.unwrap_or_default();
        let name = format!("checkpoint {} of {time}", kept.number);
        let mut wrong = |what: &str| report.add(Damage { place: name.clone(), what: what.into() });
        let linked = match kept.link {
            Link::First => extension.previous.is_none(),
            Link::To(before) => extension.previous == Some(before),
            Link::Unknown => true,
        };
        if !linked {
            wrong(
                "it does not follow the one before it: a checkpoint was taken out, changed, moved or put in",
            );
        }
        if time < kept.time {
            wrong("it is older than the one before it");
        }
        let text = text_hash(&entry.note);
        if self.gone.iter().any(|gone| text_hash(&gone.note) == text) {
            self.known.insert(text);
        }
        kept.link = Link::To(text);
        kept.time = kept.time.max(time);
        let standing = standing(&entry, self.keys);
        match standing {
            Standing::Signed => self.seals.signed += 1,
            Standing::Forged => report.add(forged(name.clone())),
            Standing::Unsigned if self.seals.signed > 0 => wrong("it is not signed, but earlier ones are"),
            Standing::Unsigned => {}
        }
        self.seals.checkpoints += 1;
        self.seals.unsigned += u64::from(entry.note.signatures().is_empty());
        Due { name, entry, standing }
    }
}

/// What a checkpoint is worth to the holder of these keys.
#[must_use]
pub fn standing(entry: &Entry, keys: &[PublicKey]) -> Standing {
    let mut standing = Standing::Unsigned;
    for key in keys {
        match key.standing(&entry.note) {
            Standing::Signed => return Standing::Signed,
            Standing::Forged => standing = Standing::Forged,
            Standing::Unsigned => {}
        }
    }
    standing
}

fn elsewhere(entry: &Entry) -> String {
    let time = entry.checkpoint.extension.time.map(|time| format!(" of {time}")).unwrap_or_default();
    format!("the checkpoint{time} that was kept elsewhere")
}

fn forged(place: String) -> Damage {
    Damage { place, what: "its signature does not fit: its text was changed, or the signature forged".into() }
}

fn unknown(entry: &Entry) -> Damage {
    let what = "it covers only commits that were removed since, and is none of the store's own checkpoints";
    Damage { place: elsewhere(entry), what: what.into() }
}

fn short(place: String, entry: &Entry, commits: u64) -> Damage {
    let size = entry.checkpoint.tree.size;
    let what = format!("it covers {size} commits, but the journal has {commits}: its end is missing");
    Damage { place, what }
}

fn differs(place: String, entry: &Entry, sound: Option<Reach>) -> Damage {
    let size = entry.checkpoint.tree.size;
    let from = sound.map_or(0, |reach| reach.events);
    let until = entry.checkpoint.extension.events.map(|events| format!(" to {events}")).unwrap_or_default();
    let what = format!(
        "the journal's first {size} commits are not those it was made of: from sequence {from}{until} \
         a commit was changed, dropped, added or moved"
    );
    Damage { place, what }
}
