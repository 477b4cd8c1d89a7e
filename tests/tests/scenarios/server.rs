//! S: the business server or proxy between the engines, scripted. It answers what a server must answer by itself (200
//! to BYE, 200 and 487 to CANCEL, ACK to finals) unless the row says otherwise.

use callbox::sim::{Extra, ScriptDialog, Sim};
use callbox_sip::wire::Message;

/// The name of the server in the simulation.
pub const S: &str = "S";

pub struct Server {
    /// The INVITE that S was sent.
    invite: Option<Message>,
    /// The dialog that S began, once it did.
    placed: Option<ScriptDialog>,
    pub bye_status: u16,
    pub completes_cancel: bool,
    pub deaf: bool,
    /// Methods of the requests that came, without INVITE and CANCEL.
    pub seen: Vec<String>,
    tag: String,
}

impl Server {
    pub fn new() -> Self {
        Self {
            invite: None,
            placed: None,
            bye_status: 200,
            completes_cancel: true,
            deaf: false,
            seen: Vec::new(),
            tag: "s".into(),
        }
    }

    /// Reacts to what has arrived.
    pub fn react(&mut self, sim: &mut Sim) {
        for label in sim.inbox(S) {
            let message = sim.expect(S, &label).expect("what is in the inbox");
            if !self.deaf {
                self.hear(sim, &label, message);
            }
        }
    }

    fn hear(&mut self, sim: &mut Sim, label: &str, message: Message) {
        match label {
            "INVITE" => {
                self.invite.get_or_insert(message);
            }
            "CANCEL" => {
                sim.reply(S, &message, 200, &Extra::none());
                if self.completes_cancel {
                    self.answer(sim, &["487".into()]);
                }
            }
            "BYE" => {
                self.seen.push("BYE".into());
                sim.reply(S, &message, self.bye_status, &Extra::none());
            }
            "ACK" => self.seen.push("ACK".into()),
            _ => self.hear_response(sim, label, &message),
        }
    }

    fn hear_response(&mut self, sim: &mut Sim, label: &str, response: &Message) {
        let Some(dialog) = self.placed.as_mut().filter(|_| label.ends_with("INVITE")) else { return };
        match label.as_bytes().first() {
            Some(b'1') => {}
            Some(b'2') => {
                dialog.learn(response);
                sim.request(S, dialog, "ACK", &Extra::none());
            }
            _ => sim.ack_failure(S, dialog, response),
        }
    }

    /// `S answers STATUS ...`
    pub fn answer(&mut self, sim: &mut Sim, words: &[String]) {
        let invite = self.invite.clone().expect("an INVITE to answer");
        let status = words[0].parse().expect("a status");
        let mut extra = Extra::none();
        for word in &words[1..] {
            extra = match word.split_once('=') {
                None if word == "sdp" => extra.sdp("192.0.2.100"),
                None if word == "automata" => extra.header("Contact", "<sip:vm@192.0.2.100>;automata"),
                Some(("reason", value)) => extra.reason(value),
                Some(("history", value)) => {
                    let targets =
                        format!("<sip:b@example.net>;index=1, <sip:vm@example.net;cause={value}>;index=1.1");
                    extra.header("History-Info", &targets)
                }
                Some(("tag", value)) => {
                    value.clone_into(&mut self.tag);
                    extra
                }
                _ => panic!("unknown word {word}"),
            };
        }
        sim.reply(S, &invite, status, &extra.tag(&self.tag));
    }

    /// `S sends BYE ...`, in the dialog of the INVITE that S answered.
    pub fn send(&self, sim: &mut Sim, method: &str, words: &[String]) {
        let invite = self.invite.as_ref().expect("a dialog");
        let mut dialog = sim.dialog_with(invite, &self.tag);
        sim.request(S, &mut dialog, method, &reason(words));
    }

    /// `S calls B`
    pub fn call(&mut self, sim: &mut Sim, to: &str) {
        self.placed = Some(sim.invite(S, to, &Extra::none().sdp("192.0.2.100")).expect("both are there"));
    }

    /// `S cancels ...`
    pub fn cancel(&mut self, sim: &mut Sim, words: &[String]) {
        let dialog = self.placed.as_mut().expect("an INVITE of S");
        sim.request(S, dialog, "CANCEL", &reason(words));
    }
}

fn reason(words: &[String]) -> Extra {
    let values = words.iter().filter_map(|word| word.strip_prefix("reason="));
    values.fold(Extra::none(), |extra, value| extra.reason(value))
}
