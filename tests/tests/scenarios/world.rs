//! The world of one row: two engines, one server, and the words of the table.

use std::time::Duration;

use callbox::sim::{Fate, Flight, Sim};
use callbox::{Agent, Hangup, Outcome, Policy};
use callbox_events::call::{Command, IncomingPolicy, RecoveryPolicy};
use serde_json::Value;

use super::server::{S, Server};
use super::table::{Expectation, Step};

/// Between two steps: longer than any way there and back, shorter than any retransmission.
const BETWEEN: Duration = Duration::from_millis(200);

/// How often the server looks into its inbox.
const SLICE: Duration = Duration::from_millis(10);

pub struct World {
    pub sim: Sim,
    server: Server,
    pub complaints: Vec<String>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut sim = Sim::new(seed);
        for name in ["A", "B"] {
            sim.engine(name, Policy::default());
        }
        sim.script(S);
        Self { sim, server: Server::new(), complaints: Vec::new() }
    }

    pub fn perform(&mut self, step: &Step) {
        let words: Vec<&str> = step.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["set", name, rest @ ..] => self.set(name, rest),
            ["drop", way, label] => self.rule(way, label, Fate::Lose),
            ["delay", way, label, ms] => {
                self.rule(way, label, Fate::Delay(Duration::from_millis(ms.parse().unwrap())));
            }
            ["heal"] => self.sim.heal(),
            ["wait", time] => self.wait(span(time)),
            ["S", rest @ ..] => self.server_does(rest, &step.words),
            [name, rest @ ..] => self.engine_does(name, rest),
            [] => {}
        }
    }

    fn engine_does(&mut self, name: &str, words: &[&str]) {
        let user = |status: Option<u16>| Command::Hangup(Hangup { status, ..Hangup::by(Agent::User) });
        match words {
            ["calls", whom] => {
                if self.sim.call(name, whom).is_none() {
                    self.complaints.push(format!("{name} could not call {whom}"));
                }
            }
            ["rings"] => self.command(name, Command::Ring),
            ["accepts"] => self.command(name, Command::Accept),
            ["holds"] => self.command(name, Command::Hold),
            ["resumes"] => self.command(name, Command::Resume),
            ["diverts", "to", target] => self.command(name, Command::Divert { to: (*target).to_owned() }),
            ["hangs", "up"] => self.command(name, user(None)),
            ["hangs", "up", "and", "crashes", ..] => {
                self.sim.command(name, user(None));
                self.sim.crash_keeping_all(name);
            }
            ["hangs", "up", status] => self.command(name, user(Some(status.parse().unwrap()))),
            ["crashes"] => self.sim.crash(name),
            ["reopens"] => self.sim.reopen(name),
            other => panic!("{name} can't {other:?}"),
        }
    }

    fn command(&mut self, name: &str, command: Command) {
        self.sim.command(name, command);
    }

    fn server_does(&mut self, words: &[&str], owned: &[String]) {
        let tail = |skip: usize| owned.get(1 + skip..).unwrap_or_default();
        match words {
            ["answers", ..] => self.server.answer(&mut self.sim, tail(1)),
            ["sends", method, ..] => self.server.send(&mut self.sim, method, tail(2)),
            ["calls", whom] => self.server.call(&mut self.sim, whom),
            ["cancels", ..] => self.server.cancel(&mut self.sim, tail(1)),
            ["will", "answer", "BYE", "with", status] => self.server.bye_status = status.parse().unwrap(),
            ["will", "answer", "CANCEL", "with", "200", "only"] => self.server.completes_cancel = false,
            ["is", "deaf"] => self.server.deaf = true,
            ["has", "seen", methods @ ..] => {
                if self.server.seen != *methods {
                    self.complaints.push(format!("S has seen {:?}, not {methods:?}", self.server.seen));
                }
            }
            other => panic!("S can't {other:?}"),
        }
    }

    fn set(&mut self, name: &str, words: &[&str]) {
        let mut policy = Policy::default();
        let (mut refuse, mut why) = (None, None);
        for word in words {
            let (key, value) = word.split_once('=').unwrap();
            let ms = || Some(value.parse().unwrap());
            match key {
                "no_answer" => policy.no_answer_ms = ms(),
                "end_grace" => policy.end_grace_ms = ms(),
                "announcement_max" => policy.announcement_max_ms = ms(),
                "recovery" => {
                    policy.recovery = serde_json::from_value::<RecoveryPolicy>(value.into()).unwrap()
                }
                "refuse" => refuse = Some(value.parse().unwrap()),
                "why" => why = Some(serde_json::from_value(Value::from(value)).unwrap()),
                other => panic!("no policy {other}"),
            }
        }
        if let (Some(status), Some(why)) = (refuse, why) {
            policy.incoming = IncomingPolicy::Refuse { status, why };
        }
        self.sim.set_policy(name, policy);
    }

    fn rule(&mut self, way: &str, label: &str, fate: Fate) {
        let (from, to) = way.split_once('>').map(|(from, to)| (from.to_owned(), to.to_owned())).unwrap();
        let label = label.to_owned();
        let fits = move |flight: &Flight| {
            let kind = flight.label();
            flight.from == from && flight.to == to && (label == "*" || kind.split(' ').next() == Some(&label))
        };
        self.sim.rule(move |flight| if fits(flight) { fate } else { Fate::Pass });
    }

    pub fn settle(&mut self) {
        self.wait(BETWEEN);
        for name in ["A", "B"] {
            if self.sim.outcome(name) == Some(Outcome::Refused) {
                self.complaints.push(format!("{name}'s last command was refused"));
            }
        }
    }

    /// Time passes in slices, so that the server reacts when it should.
    fn wait(&mut self, span: Duration) {
        let end = self.sim.now() + span;
        while self.sim.now() < end {
            self.sim.run_for(SLICE.min(end.since(self.sim.now())));
            self.server.react(&mut self.sim);
        }
    }

    pub fn let_everything_drain(&mut self) {
        self.wait(Duration::from_secs(2));
        if let Err(stuck) = self.sim.settle() {
            self.complaints.push(stuck.to_string());
        }
        for violation in self.sim.check() {
            self.complaints.push(violation.to_string());
        }
    }

    pub fn compare(&self, expectation: &Expectation) -> Vec<String> {
        match expectation {
            Expectation::Tells { at, names } => {
                let told: Vec<&str> =
                    self.sim.notifications(at).into_iter().map(|told| told.code()).collect();
                if told == *names { Vec::new() } else { vec![format!("{at} tells {}", told.join(" "))] }
            }
            Expectation::Verdict { at, fields } => {
                let verdict = serde_json::to_value(self.sim.verdict(at)).unwrap();
                let wrong = fields.iter().filter_map(|(key, wanted)| {
                    let found = field(&verdict, key, wanted);
                    (found != *wanted).then(|| format!("{at}: {key} is {found}, not {wanted}"))
                });
                wrong.collect()
            }
        }
    }
}

fn field(verdict: &Value, key: &str, wanted: &str) -> String {
    let value = match key {
        "side" | "agent" => &verdict["ended_by"][key],
        "status" => &verdict["sip"]["status"],
        "underlying" => &verdict["underlying"]["cause"],
        "says" => {
            let rows =
                ["evidence", "against"].into_iter().filter_map(|list| verdict[list].as_array()).flatten();
            let said: Vec<String> = rows.map(|row| row["says"].to_string()).collect();
            let found = said.iter().any(|said| said.to_lowercase().contains(&wanted.to_lowercase()));
            return if found { wanted.to_owned() } else { said.join(" | ") };
        }
        "races" => {
            let kinds = verdict["races"].as_array().into_iter().flatten();
            let mut kinds: Vec<&str> = kinds.filter_map(|race| race["kind"].as_str()).collect();
            kinds.sort_unstable();
            return if kinds.is_empty() { "-".to_owned() } else { kinds.join(",") };
        }
        other => &verdict[other],
    };
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn span(text: &str) -> Duration {
    match text.strip_suffix('s') {
        Some(seconds) => Duration::from_secs(seconds.parse().unwrap()),
        None => Duration::from_millis(text.parse().unwrap()),
    }
}
