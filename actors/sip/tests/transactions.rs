//! The four transaction machines, told as scripts: `tests/transactions/*`.
//!
//! `new KIND udp|tcp` begins one; the inputs are named as in the tables; `wait MS` lets time pass and shows every timer
//! that fires. `UPDATE_GOLDENFILES=1` writes the scripts anew.

#![allow(clippy::unwrap_used, missing_docs)]

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use callbox_events::Timestamp;
use callbox_events::call::SipTimers;
use callbox_sip::transaction::{Input, Kind, Machine, State};

struct Script {
    machine: Machine,
    now: Timestamp,
}

impl Script {
    fn new() -> Self {
        Self { machine: Machine::new(Kind::Client, false), now: Timestamp::from_micros(0) }
    }

    fn step(&mut self, input: Input, log: &mut String) -> Result<(), Box<dyn Error>> {
        let before = self.machine.state();
        let actions = self.machine.step(input, self.now, SipTimers::default());
        let ms = self.now.micros() / 1000;
        writeln!(log, "{ms:>6} ms  {input:?}: {before:?} ⇨ {:?} {actions:?}", self.machine.state())?;
        Ok(())
    }

    fn wait(&mut self, span: Duration, log: &mut String) -> Result<(), Box<dyn Error>> {
        let end = self.now + span;
        while let Some(at) = self.machine.next_timeout().filter(|at| *at <= end) {
            self.now = at;
            let timer = self.machine.due(at).ok_or("a deadline without a timer")?;
            self.step(Input::Timer(timer), log)?;
        }
        self.now = end;
        Ok(())
    }
}

impl goldenscript::Runner for Script {
    type Command = goldenscript::Command;

    fn run(
        &mut self,
        command: &goldenscript::Command,
        _: &goldenscript::Context,
    ) -> Result<String, Box<dyn Error>> {
        let mut log = String::new();
        let mut args = command.consume_args();
        let input = match command.name.as_str() {
            "new" => {
                let kind = match args.next_pos() {
                    Some("invite-client") => Kind::InviteClient,
                    Some("invite-server") => Kind::InviteServer,
                    Some("client") => Kind::Client,
                    Some("server") => Kind::Server,
                    other => return Err(format!("no such machine: {other:?}").into()),
                };
                *self = Self::new();
                self.machine = Machine::new(kind, args.next_pos() == Some("tcp"));
                Input::Start
            }
            "wait" => {
                let ms: u64 = args.next_pos().ok_or("how long?")?.parse()?;
                self.wait(Duration::from_millis(ms), &mut log)?;
                if self.machine.state() != State::Terminated && log.is_empty() {
                    writeln!(log, "nothing")?;
                }
                return Ok(log);
            }
            "provisional" => Input::Provisional,
            "success" => Input::Success,
            "failure" => Input::Failure,
            "cancel" => Input::Cancel,
            "again" => Input::Again,
            "ack" => Input::Ack,
            "send-provisional" => Input::SendProvisional,
            "send-success" => Input::SendSuccess,
            "send-failure" => Input::SendFailure,
            "broken" => Input::Broken,
            other => return Err(format!("no such input: {other}").into()),
        };
        self.step(input, &mut log)?;
        Ok(log)
    }
}

fn play(name: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transactions").join(name);
    goldenscript::run(&mut Script::new(), path).unwrap();
}

#[test]
fn invite_client_follows_rfc_3261_17_1_1_and_rfc_6026() {
    play("invite_client");
}

#[test]
fn invite_server_follows_rfc_3261_17_2_1_and_rfc_6026() {
    play("invite_server");
}

#[test]
fn client_follows_rfc_3261_17_1_2() {
    play("client");
}

#[test]
fn server_follows_rfc_3261_17_2_2() {
    play("server");
}

#[test]
fn every_row_of_a_table_is_unique_and_no_state_is_a_trap() {
    for kind in [Kind::InviteClient, Kind::InviteServer, Kind::Client, Kind::Server] {
        let table = kind.table();
        for (index, row) in table.iter().enumerate() {
            assert!(
                !table[..index].iter().any(|other| other.from == row.from && other.on == row.on),
                "{kind:?}: {row} is named twice"
            );
            if row.to != State::Terminated {
                assert!(table.iter().any(|next| next.from == row.to && next.to != row.to), "{kind:?}: {row}");
            }
        }
    }
}
