//! One call at the server: its script and its reflexes.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use callbox_sip::wire::{self, Limits, Message, Method, WriteError};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};

use super::{Received, Step, messages};

/// The state of one call.
pub struct ScriptedCall {
    socket: Rc<UdpSocket>,
    own: SocketAddr,
    b: SocketAddr,
    id: String,
    sip_call_id: String,
    from_a: Option<Received>,
    to_b: Option<Message>,
    kept: Option<Message>,
    silent: bool,
}

/// What a script waits for.
#[derive(Clone, Copy)]
enum Wanted {
    /// B's response with this status.
    Status(u16),
    /// B's final refusal.
    Refusal,
    /// A's CANCEL.
    Cancel,
}

impl ScriptedCall {
    /// A call that A places by way of the server.
    pub fn incoming(
        invite: Message,
        from: SocketAddr,
        socket: Rc<UdpSocket>,
        b: SocketAddr,
    ) -> io::Result<Self> {
        let own = socket.local_addr()?;
        let user = invite.uri().unwrap_or_default().trim_start_matches("sip:");
        let id = user.split('@').next().unwrap_or_default().to_owned();
        let sip_call_id = invite.call_id().to_owned();
        Ok(Self {
            socket,
            own,
            b,
            id,
            sip_call_id,
            from_a: Some((invite, from)),
            to_b: None,
            kept: None,
            silent: false,
        })
    }

    /// A call that the server places itself.
    pub fn outgoing(flow: &str, socket: Rc<UdpSocket>, b: SocketAddr) -> io::Result<Self> {
        let own = socket.local_addr()?;
        let sip_call_id = format!("{flow}-{}@{own}", std::process::id());
        let id = format!("bob.{flow}");
        Ok(Self { socket, own, b, id, sip_call_id, from_a: None, to_b: None, kept: None, silent: false })
    }

    /// What the call is known by.
    pub fn sip_call_id(&self) -> &str {
        &self.sip_call_id
    }

    /// Goes through the script, then lives on by reflexes until the server ends.
    pub async fn run(mut self, script: &'static [Step], mut messages: UnboundedReceiver<Received>) {
        for &step in script {
            if self.step(step, &mut messages).await.is_none() {
                return;
            }
        }
        while let Some(received) = messages.recv().await {
            self.reflex(&received).await;
        }
    }

    /// One step; `None` if the server is gone or a message can't be made.
    async fn step(&mut self, step: Step, messages: &mut UnboundedReceiver<Received>) -> Option<()> {
        match step {
            Step::Forward => self.forward().await,
            Step::Invite => self.invite().await,
            Step::Relay(status) => {
                let response = self.wait(Wanted::Status(status), messages).await?;
                self.give_back(&response).await
            }
            Step::Keep(status) => {
                self.kept = Some(self.wait(Wanted::Status(status), messages).await?);
                Some(())
            }
            Step::ReleaseKept => {
                let kept = self.kept.take()?;
                self.give_back(&kept).await
            }
            Step::AwaitRefusal => self.wait(Wanted::Refusal, messages).await.map(drop),
            Step::AwaitCancel => self.wait(Wanted::Cancel, messages).await.map(drop),
            Step::Answer { status, sdp, reason } => {
                let (invite, from) = self.from_a.as_ref()?;
                let answer = messages::answer(invite, *from, self.own, (status, sdp, reason));
                self.send(answer, *from).await
            }
            Step::CancelB { reason } => {
                let cancel = messages::cancel(self.to_b.as_ref()?, reason);
                self.send(cancel, self.b).await
            }
            Step::Wait(millis) => {
                let end = Instant::now() + Duration::from_millis(millis);
                while let Ok(received) = timeout_at(end, messages.recv()).await {
                    self.reflex(&received?).await;
                }
                Some(())
            }
            Step::Silence => {
                self.silent = true;
                Some(())
            }
        }
    }

    async fn wait(&mut self, wanted: Wanted, messages: &mut UnboundedReceiver<Received>) -> Option<Message> {
        loop {
            let received = messages.recv().await?;
            self.reflex(&received).await;
            let (message, from) = received;
            let of_invite = *message.cseq().1 == Method::Invite;
            let status = message.status().filter(|_| of_invite && from == self.b);
            let met = match wanted {
                Wanted::Status(wanted) => status == Some(wanted),
                Wanted::Refusal => status.is_some_and(|status| status >= 300),
                Wanted::Cancel => message.is_request() && *message.method() == Method::Cancel,
            };
            if met {
                return Some(message);
            }
        }
    }

    /// Answers what wants an answer at once.
    async fn reflex(&mut self, (message, from): &Received) {
        if self.silent {
            return;
        }
        let answer = match (message.is_request(), message.method()) {
            (true, Method::Bye | Method::Cancel) => messages::ok(message, *from),
            (false, Method::Invite) if message.status().is_some_and(|status| status >= 300) => {
                let Some(invite) = self.to_b.as_ref() else { return };
                messages::ack(invite, message)
            }
            _ => return,
        };
        // The script goes on whether or not the answer left.
        let _ = self.send(answer, *from).await;
    }

    async fn forward(&mut self) -> Option<()> {
        let (invite, _) = self.from_a.as_ref()?;
        let forwarded = messages::forwarded(invite, &self.target(), &self.via());
        self.begin(forwarded).await
    }

    async fn invite(&mut self) -> Option<()> {
        let flow = self.id.trim_start_matches("bob.");
        let invite = messages::invite(flow, self.own, &self.target(), &self.via());
        self.begin(invite).await
    }

    async fn begin(&mut self, invite: Result<Bytes, WriteError>) -> Option<()> {
        let bytes = invite.ok()?;
        self.to_b = wire::parse(bytes.clone(), &Limits::default()).ok();
        self.send(Ok(bytes), self.b).await
    }

    async fn give_back(&self, response: &Message) -> Option<()> {
        let (_, from) = self.from_a.as_ref()?;
        self.send(messages::returned(response), *from).await
    }

    fn target(&self) -> String {
        format!("sip:{}@{}", self.id, self.b)
    }

    /// One INVITE per call leaves here, so its branch follows from the call.
    fn via(&self) -> String {
        let branch: String = self.sip_call_id.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("SIP/2.0/UDP {};rport;branch=z9hG4bKserver{branch}", self.own)
    }

    async fn send(&self, message: Result<Bytes, WriteError>, to: SocketAddr) -> Option<()> {
        self.socket.send_to(&message.ok()?, to).await.ok().map(drop)
    }
}
