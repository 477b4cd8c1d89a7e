//! Whole calls between two engines over UDP on loopback: INVITE, 200, ACK, BYE, 200, every transition durable on both
//! sides before it has an effect. In memory (what the engines cost) and on sled (what the disk adds); one call after the
//! other (latency) and many at once (throughput, where the group commit pays).
#![allow(missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use callbox::{Config, Engine, Notifications, PlaceCall, Waited};
use callbox_events::Agent;
use callbox_events::call::{Hangup, IncomingPolicy, Notification, Policy, SipTimers};
use callbox_events::sip::{Peer, Transport};
use callbox_store::memory::MemoryJournal;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

/// Longer than any call of a healthy pair takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the engines keep their journals.
enum Journals<'a> {
    Memory,
    Sled(&'a Path),
}

/// A caller and a callee that answers at once.
struct Pair {
    caller: Engine,
    _callee: Engine,
    told: Notifications,
    to: String,
    runtime: Runtime,
}

impl Pair {
    fn new(journals: &Journals) -> Self {
        let (caller, callee) = (open(journals, "caller"), open(journals, "callee"));
        let to = format!("sip:bob@{}", callee.listening().first().expect("it listens").addr);
        let told = caller.subscribe(0).expect("a fresh journal");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { caller, _callee: callee, told, to, runtime }
    }

    /// Places `count` calls at once, hangs each up when it is connected, returns when all have ended.
    fn play(&mut self, count: usize) {
        for _ in 0..count {
            let place = PlaceCall::new("sip:alice@127.0.0.1", self.to.clone());
            black_box(self.runtime.block_on(self.caller.call(place)).expect("the call is placed"));
        }
        let mut ended = 0;
        while ended < count {
            let Waited::Notified(told) = self.told.next_timeout(PATIENCE).expect("the journal can be read")
            else {
                panic!("a call got stuck")
            };
            if told.notification == Notification::Connected {
                let hangup = self.caller.hangup(told.call, Hangup::by(Agent::User));
                self.runtime.block_on(hangup).expect("the call lives");
            }
            ended += usize::from(told.notification == Notification::Ended);
        }
    }
}

fn open(journals: &Journals, node: &str) -> Engine {
    // Short timers let finished calls go soon, so that a long run does not grow.
    let sip = SipTimers { t1_ms: 50, t2_ms: 400, t4_ms: 500 };
    let config = Config {
        node: node.to_owned(),
        listen: vec![Peer { transport: Transport::Udp, addr: ([127, 0, 0, 1], 0).into() }],
        policy: Policy { incoming: IncomingPolicy::Answer, sip, ..Policy::default() },
        ..Config::default()
    };
    match journals {
        Journals::Memory => Engine::open_with(config, Arc::new(MemoryJournal::new())).expect("it opens"),
        Journals::Sled(folder) => {
            Engine::open(Config { store: folder.join(node), ..config }).expect("it opens")
        }
    }
}

fn calls(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, journals) in [("memory", Journals::Memory), ("sled", Journals::Sled(folder.path()))] {
        let mut group = criterion.benchmark_group(format!("call/{name}"));
        group.sample_size(20);
        let mut pair = Pair::new(&journals);
        for count in [1, 64] {
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(format!("{count}_at_once"), |bencher| bencher.iter(|| pair.play(count)));
        }
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
