//! The business server S: a scripted SIP element between A and B, on a socket of its own.
//!
//! It is no SIP stack: it knows just what the demo's scripts need, and it works because loopback loses nothing. Each call
//! has a task that goes through its script; what the script does not wait for is met by reflexes (a BYE gets its 200, a
//! failure its ACK).

mod call;
mod messages;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use callbox_sip::wire::{self, Limits, Message};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::flow::{Flow, Path};
use super::flows;
use call::ScriptedCall;

/// One step of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Passes A's INVITE on to B.
    Forward,
    /// Sends an INVITE of its own to B.
    Invite,
    /// Waits for B's response with this status and passes it on to A.
    Relay(u16),
    /// Waits for B's response with this status and keeps it for the time being.
    Keep(u16),
    /// Passes on what was kept.
    ReleaseKept,
    /// Waits for B's final refusal. (It is acknowledged by reflex and not passed on.)
    AwaitRefusal,
    /// Waits for A's CANCEL. (It is answered by reflex.)
    AwaitCancel,
    /// Answers A's INVITE.
    Answer {
        /// 101 to 699.
        status: u16,
        /// With a session description: something is played.
        sdp: bool,
        /// With this Reason.
        reason: Option<&'static str>,
    },
    /// Cancels the INVITE to B.
    CancelB {
        /// With this Reason.
        reason: Option<&'static str>,
    },
    /// Lets time pass.
    Wait(u64),
    /// Says nothing from now on, by script or reflex.
    Silence,
}

/// A message and who sent it.
type Received = (Message, SocketAddr);

/// The running server.
#[derive(Debug)]
pub struct Server {
    socket: Rc<UdpSocket>,
    calls: RefCell<HashMap<String, mpsc::UnboundedSender<Received>>>,
    b: SocketAddr,
}

impl Server {
    /// Binds its socket on a free port of loopback and serves. `b` is where B listens.
    ///
    /// # Errors
    /// If there is no socket to be had.
    pub async fn start(b: SocketAddr) -> io::Result<Rc<Self>> {
        let socket = Rc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let server = Rc::new(Self { socket, calls: RefCell::default(), b });
        tokio::task::spawn_local(Rc::clone(&server).serve());
        Ok(server)
    }

    /// Where it listens.
    ///
    /// # Errors
    /// If the system can't tell.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Places the call of a flow that begins here.
    ///
    /// # Errors
    /// If the system can't tell the server's address.
    pub fn place(self: &Rc<Self>, flow: &'static Flow) -> io::Result<()> {
        if let Path::FromServer(script) = flow.path {
            let call = ScriptedCall::outgoing(flow.id, Rc::clone(&self.socket), self.b)?;
            let name = call.sip_call_id().to_owned();
            self.run(name, call, script);
        }
        Ok(())
    }

    async fn serve(self: Rc<Self>) {
        let mut buffer = vec![0; 65_535];
        loop {
            let Ok((length, from)) = self.socket.recv_from(&mut buffer).await else { return };
            let datagram = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
            if let Ok(message) = wire::parse(datagram, &Limits::default()) {
                self.dispatch(message, from);
            }
        }
    }

    fn dispatch(&self, message: Message, from: SocketAddr) {
        let known = self.calls.borrow().get(message.call_id()).cloned();
        match known {
            // A task that is done lets its messages pass unheard.
            Some(call) => drop(call.send((message, from))),
            None => self.begin(message, from),
        }
    }

    /// A new INVITE: the flow is named in its target, `sip:bob.3g@…`.
    fn begin(&self, message: Message, from: SocketAddr) {
        let target = message.uri().unwrap_or_default();
        let flow = flows::all().find(|flow| target.contains(&format!(".{}@", flow.id)));
        if let Some(Flow { path: Path::Through(script), .. }) = flow
            && let Ok(call) = ScriptedCall::incoming(message, from, Rc::clone(&self.socket), self.b)
        {
            let name = call.sip_call_id().to_owned();
            self.run(name, call, script);
        }
    }

    fn run(&self, name: String, call: ScriptedCall, script: &'static [Step]) {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.calls.borrow_mut().insert(name, sender);
        tokio::task::spawn_local(call.run(script, receiver));
    }
}
