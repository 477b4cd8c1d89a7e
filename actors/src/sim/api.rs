//! Engines of the simulation: what a test makes them do.

use callbox_events::call::{Command, Hangup, Outcome, Policy};
use callbox_events::{Agent, CallId};

use super::engine::SimEngine;
use super::world::Sim;
use crate::call_handle::PlaceCall;
use crate::core::Outgoing;
use crate::target::Target;

impl Sim {
    /// Adds an engine that follows `policy`. Its address is `10.0.0.n:5060`.
    pub fn engine(&mut self, name: &str, policy: Policy) {
        let (local, seed) = (self.next_address(), self.rng.next());
        self.engines.push(SimEngine::new(name, local, policy, seed));
    }

    /// Changes an engine's rules for the calls to come.
    pub fn set_policy(&mut self, name: &str, policy: Policy) {
        if let Some(engine) = self.engine_mut(name) {
            engine.policy = policy;
        }
    }

    /// An engine refuses calls beyond this many.
    pub fn set_max_calls(&mut self, name: &str, max_calls: usize) {
        if let Some(engine) = self.engine_mut(name) {
            engine.max_calls = max_calls;
        }
    }

    /// The URI that leads to a party: `sip:B@10.0.0.2:5060`.
    #[must_use]
    pub fn uri(&self, name: &str) -> String {
        let engines = self.engines.iter().map(|engine| (&engine.name, engine.local));
        let scripts = self.scripts.iter().map(|script| (&script.name, script.local));
        let local = engines.chain(scripts).find(|(known, _)| *known == name).map(|(_, local)| local);
        local.map_or_else(|| format!("sip:{name}@nowhere"), |local| format!("sip:{name}@{}", local.addr))
    }

    /// The engine `from` calls the party `to`. None if the engine is unknown, down, or the call failed inside.
    pub fn call(&mut self, from: &str, to: &str) -> Option<CallId> {
        let place = PlaceCall::new(self.uri(from), self.uri(to));
        self.call_with(from, place)
    }

    /// The engine `from` places this call. A URI whose host is no address is looked up first, which takes 20 ms: the
    /// names of parties are found, others are not.
    pub fn call_with(&mut self, from: &str, place: PlaceCall) -> Option<CallId> {
        let engine = self.index(from)?;
        let target = Target::of(&place.to).ok()?;
        let owner = self.engines.get(engine).filter(|engine| engine.up)?;
        let mut policy = place.policy.unwrap_or_else(|| owner.policy.clone());
        policy.no_answer_ms = place.no_answer_ms.or(policy.no_answer_ms);
        let (peer, reachable) = match place.via {
            Some(peer) => (peer, true),
            None => (target.peer(), target.is_reachable()),
        };
        self.place_on(engine, Outgoing { from: place.from, to: place.to, peer, reachable, policy })
    }

    /// Gives the engine's latest call a command, now. Its outcome is told as time runs: [`Sim::outcome`].
    pub fn command(&mut self, name: &str, command: Command) {
        if let Some(call) = self.latest(name) {
            self.command_for(name, call, command);
        }
    }

    /// Gives one of the engine's calls a command, now.
    pub fn command_for(&mut self, name: &str, call: CallId, command: Command) {
        if let Some(engine) = self.index(name) {
            self.command_on(engine, call, command);
        }
    }

    /// 180 for the engine's latest call.
    pub fn ring(&mut self, name: &str) {
        self.command(name, Command::Ring);
    }

    /// 200 for the engine's latest call.
    pub fn accept(&mut self, name: &str) {
        self.command(name, Command::Accept);
    }

    /// The user ends the engine's latest call.
    pub fn hangup(&mut self, name: &str) {
        self.command(name, Command::Hangup(Hangup::by(Agent::User)));
    }

    /// The user ends the engine's latest call with this status, if it is a reject.
    pub fn reject(&mut self, name: &str, status: u16) {
        let hangup = Hangup { status: Some(status), ..Hangup::by(Agent::User) };
        self.command(name, Command::Hangup(hangup));
    }

    /// Hold.
    pub fn hold(&mut self, name: &str) {
        self.command(name, Command::Hold);
    }

    /// Resume.
    pub fn resume(&mut self, name: &str) {
        self.command(name, Command::Resume);
    }

    /// 302 for the engine's latest call.
    pub fn divert(&mut self, name: &str, to: &str) {
        self.command(name, Command::Divert { to: to.to_owned() });
    }

    /// What the engine's last command was told; none while it is under way.
    #[must_use]
    pub fn outcome(&self, name: &str) -> Option<Outcome> {
        self.get(name)?.outcomes.last()?.outcome
    }

    /// The engine dies, now. Of its commits under way some had reached the disk: the seed says how many.
    pub fn crash(&mut self, name: &str) {
        let Some(engine) = self.index(name) else { return };
        let kept = usize::try_from(self.rng.between(0, 4)).unwrap_or(0);
        if let Some(engine) = self.engines.get_mut(engine) {
            engine.crash(kept);
        }
    }

    /// The engine dies, now, and nothing that was under way to the disk had arrived.
    pub fn crash_losing_all(&mut self, name: &str) {
        if let Some(engine) = self.engine_mut(name) {
            engine.crash(0);
        }
    }

    /// The engine dies, now, and all that was under way to the disk had arrived: durable, but never acted upon.
    pub fn crash_keeping_all(&mut self, name: &str) {
        if let Some(engine) = self.engine_mut(name) {
            engine.crash(usize::MAX);
        }
    }

    /// The engine starts again on its journal, with its address. Calls without an end are recovered.
    pub fn reopen(&mut self, name: &str) {
        if let Some(engine) = self.index(name) {
            self.reopen_engine(engine);
        }
    }

    /// The engine's latest call.
    #[must_use]
    pub fn latest(&self, name: &str) -> Option<CallId> {
        self.get(name)?.known.last().copied()
    }

    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.engines.iter().position(|engine| engine.name == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&SimEngine> {
        self.engines.iter().find(|engine| engine.name == name)
    }

    fn engine_mut(&mut self, name: &str) -> Option<&mut SimEngine> {
        self.engines.iter_mut().find(|engine| engine.name == name)
    }
}
