//! What every journal must do, whatever keeps it. Each case is a function over a [`Place`]; the macro
//! [`conformance_suite`](crate::conformance_suite) makes a test of each.

pub mod append;
pub mod follow;
pub mod read;

use std::sync::Arc;

use callbox_events::schema::{Commit, StoredCommit};

use crate::error::AppendError;
use crate::journal::{Cursor, Expect, Journal, JournalReader, Position};

/// Somewhere a journal can be opened, closed (by dropping every handle) and opened again.
pub type Place = Box<dyn FnMut() -> Arc<dyn Journal>>;

/// Makes one test of each case. The argument is a function that makes a fresh [`Place`].
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_suite!(@ $make, append: [
            positions_are_gapless_and_count_events, versions_are_per_call, an_unexpected_version_is_a_conflict,
            a_repeated_append_returns_its_first_position, a_repetition_is_known_after_reopening,
            another_commit_under_a_taken_version_is_a_conflict, appends_may_overtake_their_acks,
            malformed_commits_are_refused, a_commit_that_is_too_large_is_refused, large_commits_survive_reopening,
            after_close_appends_are_refused, many_threads_may_append, a_call_may_go_on_after_reopening
        ]);
        $crate::conformance_suite!(@ $make, read: [
            an_unknown_call_is_empty, a_call_reads_back_in_order, everything_reads_back_in_order,
            a_cursor_may_stand_anywhere, a_cursor_beyond_the_end_is_refused, calls_are_listed_once_in_order,
            the_head_is_version_and_chain, the_chain_covers_what_was_before, everything_is_there_after_reopening,
            a_call_of_many_commits_reads_back, the_latest_call_is_the_one_that_started_last
        ]);
        $crate::conformance_suite!(@ $make, follow: [
            a_subscription_catches_up_and_goes_on, a_subscription_ends_when_the_journal_closes,
            a_subscription_sees_each_commit_once_under_load, a_slow_subscriber_does_not_hold_the_writer_up,
            a_subscription_may_begin_at_the_tail, a_subscription_beyond_the_end_is_refused,
            a_subscription_can_be_awaited
        ]);
    };
    (@ $make:expr, $module:ident: [$($case:ident),+]) => {$(
        #[test]
        fn $case() {
            $crate::testing::conformance::$module::$case(&mut $make());
        }
    )+};
}

/// Appends, waits, expects success.
pub fn put(journal: &dyn Journal, commit: Commit) -> Position {
    let expect = Expect::of(&commit);
    journal.append(commit, expect).wait().unwrap()
}

/// Appends, waits, expects failure.
pub fn refused(journal: &dyn Journal, commit: Commit, expect: Expect) -> AppendError {
    journal.append(commit, expect).wait().unwrap_err()
}

/// Everything from a place on.
pub fn all(journal: &dyn JournalReader, from: Cursor) -> Vec<StoredCommit> {
    journal.read_all(from).unwrap().map(Result::unwrap).collect()
}
