//! Many calls at once: none fails, and each one is in the journal with its verdict.
//!
//! 2,000 calls at 500/s; `CALLBOX_LOAD_CALLS` and `CALLBOX_LOAD_RATE` ask for more. The figures (CPU per call, bytes,
//! events per second) come from `tests/load/run` and `tests/bench/side-by-side`, never from a test.

use std::time::Duration;

use callbox_tests::cli::Cli;
use callbox_tests::daemon::Serve;
use callbox_tests::lab::Lab;
use callbox_tests::peers;
use callbox_tests::sipp::Sipp;
use callbox_tests::wait;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn thousands_of_calls_are_answered_and_every_one_has_its_verdict() {
    if !peers::have_sipp() {
        return;
    }
    let (calls, rate) = (setting("CALLBOX_LOAD_CALLS", 2000), setting("CALLBOX_LOAD_RATE", 500));
    let bound = Duration::from_secs(60 + 2 * calls / rate);
    let lab = Lab::new();
    let daemon = Serve::new(&lab).with(&["--incoming", "answer", "--t1", "100"]).start();
    let (number, rate) = (calls.to_string(), rate.to_string());
    let load = ["-m", &number, "-r", &rate, "-l", "100000", "-d", "0", "-timeout", "300s"];
    Sipp::new("uac_hangup", lab.path()).with(&load).call(&daemon.udp()).finish_within(bound);
    wait::until("all calls to be over", bound, || daemon.api().calls(true).is_empty().then_some(()));
    let cli = Cli::store(&lab.store());
    let listed = cli.list();
    let over = listed.iter().filter(|call| call["cause"] == "hangup" && call["side"] == "caller").count();
    assert_eq!(
        (listed.len(), over),
        (usize::try_from(calls).unwrap_or(0), listed.len()),
        "listed, with the verdict"
    );
    daemon.stop();
    cli.assert_sound();
    assert_eq!(cli.list().len(), listed.len(), "the journal alone lists as many");
}
