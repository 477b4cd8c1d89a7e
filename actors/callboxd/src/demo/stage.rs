//! The stage: the engines A and B, the server S between them, one journal.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use callbox::{CallId, Config, Engine, Notifications, PlaceCall};
use callbox_events::call::{IncomingPolicy, Policy};
use callbox_events::sip::{Peer, Transport};
use callbox_store::Journal;

use super::flow::{Flow, Party, Path};
use super::server::Server;
use super::timing;
use crate::failure::Failure;

/// Everything that plays.
pub struct Stage {
    /// The caller's engine.
    a: Engine,
    /// The callee's engine.
    b: Engine,
    /// The business server.
    server: Rc<Server>,
    journal: Arc<dyn Journal>,
    /// The journal's end before the first call.
    first_seq: u64,
}

impl Stage {
    /// Starts engines and server on free ports of loopback.
    ///
    /// # Errors
    /// What could not be started.
    pub async fn build(journal: Arc<dyn Journal>) -> Result<Self, Failure> {
        let first_seq = journal.tail().map_err(|e| Failure::other(e.to_string()))?.seq();
        let a = engine("a", Policy::default(), &journal)?;
        let ringing = Policy {
            incoming: IncomingPolicy::Ring,
            no_answer_ms: Some(timing::CALLEE_PATIENCE_MS),
            ..Policy::default()
        };
        let b = engine("b", ringing, &journal)?;
        let server = Server::start(addr(&b)?).await.map_err(|e| Failure::other(format!("no server: {e}")))?;
        Ok(Self { a, b, server, journal, first_seq })
    }

    /// One of the engines.
    pub fn engine(&self, party: Party) -> &Engine {
        match party {
            Party::A => &self.a,
            Party::B => &self.b,
        }
    }

    /// The journal of both.
    pub fn journal(&self) -> &dyn Journal {
        self.journal.as_ref()
    }

    /// The notifications of an engine since the beginning.
    ///
    /// # Errors
    /// If the journal can't be followed.
    pub fn follow(&self, party: Party) -> Result<Notifications, Failure> {
        self.engine(party).subscribe(self.first_seq).map_err(|e| Failure::other(e.to_string()))
    }

    /// Places the call of a flow; its id at A, if A takes part.
    ///
    /// # Errors
    /// If the call can't be placed.
    pub async fn place(&self, flow: &'static Flow) -> Result<Option<CallId>, Failure> {
        let id = flow.id;
        let failed = |why: String| Failure::other(format!("flow {id} can't be placed: {why}"));
        let target = match flow.path {
            Path::Direct => addr(&self.b)?,
            Path::Through(_) => self.server_addr()?,
            Path::FromServer(_) => {
                self.server.place(flow).map_err(|e| failed(e.to_string()))?;
                return Ok(None);
            }
        };
        let from = format!("sip:alice.{id}@{}", addr(&self.a)?);
        let place = PlaceCall {
            no_answer_ms: flow.no_answer_ms,
            ..PlaceCall::new(from, format!("sip:bob.{id}@{target}"))
        };
        self.a.call(place).await.map(Some).map_err(|e| failed(e.to_string()))
    }

    /// Where everybody is, for the audience.
    ///
    /// # Errors
    /// If the system can't tell.
    pub fn addresses(&self) -> Result<[SocketAddr; 3], Failure> {
        Ok([addr(&self.a)?, addr(&self.b)?, self.server_addr()?])
    }

    fn server_addr(&self) -> Result<SocketAddr, Failure> {
        self.server.addr().map_err(|e| Failure::other(format!("the server has no address: {e}")))
    }

    /// Ends the engines, then the journal.
    ///
    /// # Errors
    /// If the journal could not be closed cleanly.
    pub async fn close(self) -> Result<(), Failure> {
        let Self { a, b, server, journal, first_seq: _ } = self;
        for engine in [a, b] {
            engine.close().await.map_err(|e| Failure::other(e.to_string()))?;
        }
        drop(server);
        journal.close().map_err(|e| Failure::other(e.to_string()))
    }
}

fn engine(node: &str, policy: Policy, journal: &Arc<dyn Journal>) -> Result<Engine, Failure> {
    let listen = Peer { transport: Transport::Udp, addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
    let config = Config {
        node: node.to_owned(),
        listen: vec![listen],
        policy: Policy { sip: timing::TIMERS, ..policy },
        arbiters: 1,
        user_agent: format!("callbox-demo-{node}"),
        ..Config::default()
    };
    Engine::open_with(config, Arc::clone(journal)).map_err(|e| Failure::other(e.to_string()))
}

fn addr(engine: &Engine) -> Result<SocketAddr, Failure> {
    let first = engine.listening().first();
    first.map(|peer| peer.addr).ok_or_else(|| Failure::other("an engine listens nowhere"))
}
