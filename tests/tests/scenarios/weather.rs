//! Two engines in bad weather: packets are lost, doubled and overtake one another, engines crash and come back, users
//! press everything at any time. Whatever happens, the invariants hold and every call has its end.
//!
//! `WEATHER_SEEDS=5000 cargo test -p callbox-tests --test scenarios weather` looks longer; a failure names its seed, and
//! `WEATHER_SEED=n` plays that one alone.

use std::time::Duration;

use callbox::Policy;
use callbox::sim::Sim;
use callbox_events::call::EventKind;
use callbox_events::view::{Change, Difference, Setting, rerun, what_if};

#[test]
fn weather_breaks_no_invariant() {
    let one = std::env::var("WEATHER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = std::env::var("WEATHER_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(300);
    let seeds: Vec<u64> = one.map_or_else(|| (0..seeds).collect(), |seed| vec![seed]);
    for seed in seeds {
        if let Err(broken) = storm(seed) {
            panic!("WEATHER_SEED={seed}: {broken}");
        }
    }
}

fn storm(seed: u64) -> Result<(), String> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut sim = Sim::new(seed);
    for name in ["A", "B"] {
        sim.engine(name, policy(&mut dice));
    }
    let network = sim.network();
    network.loss_permille = [0, 20, 100, 300][dice.below(4)];
    network.duplicate_permille = [0, 50][dice.below(2)];
    network.reorder = dice.below(2) == 0;
    network.max_latency = Duration::from_millis([3, 40, 400][dice.below(3)]);
    sim.call("A", "B");
    for _ in 0..dice.below(12) {
        let span = [0, 1, 5, 30, 200, 1_000, 10_000, 40_000][dice.below(8)];
        sim.run_for(Duration::from_millis(span as u64));
        something_happens(&mut sim, &mut dice);
    }
    for name in ["A", "B"] {
        sim.reopen(name);
    }
    sim.run_for(Duration::from_secs(1));
    for name in ["A", "B"] {
        for call in sim.calls(name) {
            let user = callbox::Hangup::by(callbox::Agent::User);
            sim.command_for(name, call, callbox_events::call::Command::Hangup(user));
        }
    }
    sim.settle().map_err(|stuck| stuck.to_string())?;
    unchanged(&sim)?;
    changed(&sim, &mut dice)?;
    // The clocks of the simulation are one; what is said of their difference is checked on the way.
    let _ = super::joins::pairs(&sim);
    let violations: Vec<String> = sim.check().iter().map(ToString::to_string).collect();
    if violations.is_empty() { Ok(()) } else { Err(format!("{}\n{}", violations.join("\n"), sim.picture())) }
}

/// Every call, run once more without a change, is what is recorded of it.
pub fn unchanged(sim: &Sim) -> Result<(), String> {
    for (name, call) in
        ["A", "B"].into_iter().flat_map(|name| sim.calls(name).into_iter().map(move |call| (name, call)))
    {
        let record = sim.commits_of(name, call);
        let again = what_if(&record, &[]).map_err(|error| error.to_string())?;
        let same =
            again.commits.iter().map(|stored| &stored.commit).eq(record.iter().map(|stored| &stored.commit));
        if !same || !again.assumptions.is_empty() {
            return Err(format!("{name}'s call {call} runs otherwise: {:?}", again.assumptions));
        }
    }
    Ok(())
}

/// Every call, run once more with a message lost or late or another rule, is a life that the machine decides.
fn changed(sim: &Sim, dice: &mut Dice) -> Result<(), String> {
    for (name, call) in
        ["A", "B"].into_iter().flat_map(|name| sim.calls(name).into_iter().map(move |call| (name, call)))
    {
        let record = sim.commits_of(name, call);
        let event = dice.below(12) as u64;
        let change = match dice.below(3) {
            0 => Change::Drop { event },
            1 => Change::Delay { event, by: Duration::from_millis(dice.below(40_000) as u64 + 1) },
            _ => Change::Set(Setting::ALL[dice.below(7)], format!("{}ms", dice.below(40_000))),
        };
        // What names no message is refused with words.
        let Ok(other) = what_if(&record, std::slice::from_ref(&change)) else { continue };
        let ends = other.commits.iter().flat_map(|stored| &stored.commit.events);
        let ends = ends.filter(|happened| happened.event.kind() == EventKind::Ended).count();
        let parted = match rerun(&other.commits).divergence.map(|divergence| divergence.what) {
            // Nobody builds the messages of a run that never was.
            None | Some(Difference::Message { .. }) => None,
            Some(what) => Some(what),
        };
        if ends > 1 || parted.is_some() {
            return Err(format!("{name}'s call {call} with {change:?}: {ends} ends, {parted:?}"));
        }
    }
    Ok(())
}

fn policy(dice: &mut Dice) -> Policy {
    let mut maybe = |ms: u64| (dice.below(3) == 0).then_some(ms);
    Policy {
        no_answer_ms: maybe(20_000),
        ring_after_ms: maybe(0),
        answer_after_ms: maybe(3_000),
        hangup_after_ms: maybe(5_000),
        max_duration_ms: maybe(30_000),
        end_grace_ms: maybe(2_000),
        ..Policy::default()
    }
}

fn something_happens(sim: &mut Sim, dice: &mut Dice) {
    let name = ["A", "B"][dice.below(2)];
    match dice.below(12) {
        0 | 1 => sim.ring("B"),
        2 | 3 => sim.accept("B"),
        4 | 5 => sim.hangup(name),
        6 => sim.hold(name),
        7 => sim.resume(name),
        8 => sim.crash(name),
        9 => sim.reopen(name),
        10 => {
            sim.call(name, if name == "A" { "B" } else { "A" });
        }
        _ => sim.reject("B", 486),
    }
}

/// Splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}
