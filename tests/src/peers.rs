//! Programs of others that tests talk to, and what happens where they are missing.

use std::path::Path;

/// Whether a missing peer is a failure. `tests/run` sets this after it has installed them.
fn required() -> bool {
    std::env::var_os("CALLBOX_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

/// Says that a test does not run, and why.
///
/// # Panics
/// If peers are required (`CALLBOX_REQUIRE_PEERS=1`).
pub fn skip(why: &str) {
    assert!(!required(), "{why}, and CALLBOX_REQUIRE_PEERS=1 asks for it");
    println!("skipped: {why}");
}

/// Whether `program` (of Debian package `package`) can be run; says so if not.
#[must_use]
pub fn have(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file());
    if !found {
        skip(&format!("`{program}` is not installed (Debian package {package})"));
    }
    found
}

/// Whether SIPp can be run.
#[must_use]
pub fn have_sipp() -> bool {
    have("sipp", "sip-tester")
}

/// Whether baresip can be run.
#[must_use]
pub fn have_baresip() -> bool {
    have("baresip", "baresip-core")
}

/// Says that a test does not run because data beside the repository is absent. That is never a failure: a clone alone
/// does not have it.
pub fn skip_without_data(what: &str) {
    println!("skipped: no {what} (CALLBOX_SHARED names the folder of shared test data)");
}

/// Says that a test does not run because this user may not do what it needs. That is never a failure either.
pub fn skip_without_rights(what: &str) {
    println!("skipped: {what}");
}
