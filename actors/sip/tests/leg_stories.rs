//! What a leg does, told as scripts: `tests/leg_stories/*`. `UPDATE_GOLDENFILES=1` writes them anew.
//!
//! A calls B (and C, a second fork) over a network with 5 ms of delay. A prefix says who performs an effect of the
//! machine: `b: respond 180`. `wait MS` lets time pass; `b: lose 2` loses the next two messages of B.

#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use std::error::Error;
use std::time::Duration;

use callbox_events::call::Effect;
use callbox_events::sip::{MediaDirection, Reason, Transport};
use world::{ANSWER, OFFER, World};

struct Story(World);

impl goldenscript::Runner for Story {
    type Command = goldenscript::Command;

    fn run(
        &mut self,
        command: &goldenscript::Command,
        context: &goldenscript::Context,
    ) -> Result<String, Box<dyn Error>> {
        let world = &mut self.0;
        let who = context.prefix.as_deref().and_then(|prefix| prefix.chars().next()).unwrap_or('a');
        let mut args = command.consume_args();
        let reasons: Vec<Reason> =
            args.take_key("reason").map(|text| Reason::new("SIP", 200, text)).into_iter().collect();
        let tag = args.take_key("tag").map(ToOwned::to_owned);
        let key = |name: &str, args: &mut goldenscript::ArgumentConsumer<'_>| {
            args.take_key(name).map(ToOwned::to_owned)
        };
        let (contact, cseq, require, retry) = (
            key("contact", &mut args),
            key("cseq", &mut args),
            key("require", &mut args),
            key("retry_after", &mut args),
        );
        let first = args.next_pos().map(ToOwned::to_owned);
        let number = || first.as_deref().unwrap_or_default().parse::<u32>();
        match command.name.as_str() {
            "place" => {
                *world = World::default();
                if first.as_deref() == Some("tcp") {
                    world.transport = Transport::Tcp;
                }
                world.forking = first.as_deref() == Some("fork");
                if first.as_deref() == Some("lost") {
                    world.lose.insert('a', 1000);
                }
                world.place();
            }
            "wait" => world.wait(Duration::from_millis(number()?.into())),
            "lose" => {
                world.lose.insert(who, number()?);
            }
            "respond" => {
                let with_sdp = args.next_pos() == Some("sdp");
                let effect = Effect::Respond {
                    status: number()?.try_into()?,
                    sdp: with_sdp,
                    reasons,
                    contact,
                    retry_after: retry.map(|text| text.parse()).transpose()?,
                };
                world.perform(who, &effect, Some(ANSWER));
            }
            "ack" => world.perform(who, &Effect::SendAck, None),
            "dismiss" => world.perform(who, &Effect::DismissAnswer { to_tag: tag, reasons }, None),
            "cancel" => world.perform(who, &Effect::SendCancel { reasons }, None),
            "bye" => world.perform(who, &Effect::SendBye { reasons }, None),
            "reinvite" => {
                let direction = MediaDirection::SendOnly;
                world.perform(who, &Effect::SendReinvite { direction }, Some(OFFER));
            }
            "answer-cancel" => {
                world.perform(who, &Effect::AnswerCancel { status: number()?.try_into()? }, None)
            }
            "answer-bye" => world.perform(who, &Effect::AnswerBye { status: number()?.try_into()? }, None),
            "answer-reinvite" => {
                let direction = MediaDirection::RecvOnly;
                let effect = Effect::AnswerReinvite { status: number()?.try_into()?, direction };
                world.perform(who, &effect, Some(ANSWER));
            }
            "send" => world.send_raw(who, &first.unwrap_or_default(), cseq, require, tag),
            "broken" => world.break_transport(who),
            "finish" => world.finish(who),
            other => return Err(format!("no such command: {other}").into()),
        }
        Ok(std::mem::take(&mut world.log))
    }
}

fn play(name: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/leg_stories").join(name);
    goldenscript::run(&mut Story(World::default()), path).unwrap();
}

macro_rules! stories {
    ($($test:ident => $script:literal,)*) => {$(
        #[test]
        fn $test() {
            play($script);
        }
    )*};
}

stories! {
    hanging_up_in_conversation => "flow1_bye",
    cancelling_before_the_answer => "flow2_cancel",
    rejecting => "flow3_reject",
    nobody_answers => "flow4_timeouts",
    forks_and_late_answers => "forks",
    messages_get_lost => "loss",
    media_changes => "reinvite",
    other_requests_in_the_dialog => "requests",
    transport_breaks => "transport",
}
