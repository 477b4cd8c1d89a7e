//! A call as the formats see it: its commits, its summary, its verdict.

use callbox_events::schema::{Commit, StoredCommit};
use callbox_events::verdict::{Why, why};
use callbox_events::view::CallSummary;

/// A whole call.
pub struct Call {
    /// What is recorded of it; never empty.
    pub commits: Vec<StoredCommit>,
    /// The line of `callbox list`.
    pub summary: CallSummary,
    /// The document of `callbox why`.
    pub why: Why,
}

impl Call {
    /// The call that these commits record, judged once; none if its beginning is missing.
    pub fn of(commits: Vec<StoredCommit>) -> Option<Self> {
        let plain = || commits.iter().map(|stored| &stored.commit);
        let mut rest = plain();
        let mut summary = CallSummary::begin(rest.next()?)?;
        rest.for_each(|commit| summary.absorb(commit));
        let why = why(plain())?;
        if !summary.is_live() {
            summary.judged(&why.verdict);
        }
        Some(Self { commits, summary, why })
    }

    /// The first commit.
    pub fn first(&self) -> Option<&Commit> {
        self.commits.first().map(|stored| &stored.commit)
    }
}
