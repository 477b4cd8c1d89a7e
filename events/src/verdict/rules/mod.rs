//! The rules of rulebook 1.0, one file per kind of witness, and the order in which they are heard.
//!
//! | weight | who is believed |
//! |---|---|
//! | record | what the record is: alive, empty, broken |
//! | own | own command, own timer, own policy, own crash |
//! | protocol | who sent the packet, what the transport said, which transaction timer ran out |
//! | agreement | status, Reason and phase together |
//! | reason | a Reason value alone |
//! | phrase | words |
//! | timing | how long it took |
//! | machine | what the machine made of it: the last resort |
//!
//! The first rule that concludes something wins. Own acts come before all; of the rules about one kind of message the
//! more precise one is heard first, and the weight of its witness caps how sure it may be. What other witnesses say
//! against it is kept by [`super::contradictions`]. Ids are stable: the first row of the evidence names the rule.

mod crash;
mod lost;
mod observed;
mod observed_bye;
mod own;
mod own_timer;
mod record;
mod remote_bye;
mod remote_cancel;
mod remote_final;
mod statuses;

use super::draft::Draft;
use super::facts::Facts;
use super::vocabulary::Confidence;

/// How much a rule's kind of witness is believed; in order, the most believed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Record,
    Own,
    Protocol,
    Agreement,
    Reason,
    Phrase,
    Timing,
    Machine,
}

impl Weight {
    /// How sure a conclusion from this kind of witness may be.
    fn ceiling(self) -> Confidence {
        match self {
            Self::Record | Self::Own | Self::Protocol => Confidence::Certain,
            Self::Agreement | Self::Reason | Self::Timing => Confidence::Strong,
            Self::Phrase | Self::Machine => Confidence::Weak,
        }
    }
}

/// One rule.
pub(super) struct Rule {
    /// Stable name.
    pub id: &'static str,
    /// Its place in the table above.
    pub weight: Weight,
    /// Its conclusion, if it has one.
    pub conclude: fn(&Facts<'_>) -> Option<Draft>,
}

const fn rule(id: &'static str, weight: Weight, conclude: fn(&Facts<'_>) -> Option<Draft>) -> Rule {
    Rule { id, weight, conclude }
}

/// All rules, in the order in which they are heard.
pub(super) const RULES: &[Rule] = &[
    rule("record.empty", Weight::Record, record::empty),
    rule("record.alive", Weight::Record, record::alive),
    rule("record.capture_ended", Weight::Record, observed::capture_ended),
    rule("own.policy_refusal", Weight::Own, own::policy_refusal),
    rule("own.administrator", Weight::Own, own::administrator),
    rule("own.engine", Weight::Own, own::engine),
    rule("own.reject", Weight::Own, own::reject),
    rule("own.divert", Weight::Own, own::divert),
    rule("own.cancel", Weight::Own, own::cancel),
    rule("own.bye_crossed", Weight::Own, own::bye_crossed),
    rule("own.bye", Weight::Own, own::bye),
    rule("own.no_answer", Weight::Own, own_timer::no_answer),
    rule("own.max_duration", Weight::Own, own_timer::max_duration),
    rule("own.announcement_max", Weight::Own, own_timer::announcement_max),
    rule("own.hangup_delay", Weight::Own, own_timer::hangup_delay),
    rule("own.crash", Weight::Own, crash::crash),
    rule("protocol.observed_ack_missing", Weight::Protocol, observed::ack_missing),
    rule("protocol.observed_cancel_crossed", Weight::Protocol, observed::cancel_crossed),
    rule("protocol.observed_replaced", Weight::Protocol, observed::replaced),
    rule("protocol.observed_transfer", Weight::Protocol, observed::transferred),
    rule("protocol.observed_dialog_gone", Weight::Protocol, observed::dialog_gone),
    rule("timing.observed_session", Weight::Timing, observed::session_expired),
    rule("reason.observed_bye", Weight::Reason, observed_bye::by_reason),
    rule("protocol.observed_bye", Weight::Protocol, observed_bye::plain),
    rule("protocol.observed_bye_answered", Weight::Protocol, observed_bye::answered),
    rule("agreement.observed_auth", Weight::Agreement, observed::auth_failed),
    rule("protocol.ack_missing", Weight::Protocol, lost::ack_missing),
    rule("protocol.no_response", Weight::Protocol, lost::no_response),
    rule("protocol.final_missing", Weight::Protocol, lost::final_missing),
    rule("protocol.unreachable", Weight::Protocol, lost::unreachable),
    rule("protocol.transport_failed", Weight::Protocol, lost::transport_failed),
    rule("protocol.dialog_gone", Weight::Protocol, lost::dialog_gone),
    rule("protocol.bye_for_lost_ack", Weight::Protocol, remote_bye::for_lost_ack),
    rule("protocol.bye_early", Weight::Protocol, remote_bye::early),
    rule("reason.bye", Weight::Reason, remote_bye::by_reason),
    rule("protocol.bye", Weight::Protocol, remote_bye::plain),
    rule("reason.cancel", Weight::Reason, remote_cancel::by_reason),
    rule("protocol.cancel", Weight::Protocol, remote_cancel::plain),
    rule("agreement.no_human_had_time", Weight::Agreement, remote_final::no_human_had_time),
    rule("agreement.final", Weight::Agreement, remote_final::agreeing),
    rule("phrase.final", Weight::Phrase, remote_final::by_phrase),
    rule("timing.final", Weight::Timing, remote_final::by_timing),
    rule("agreement.status", Weight::Agreement, remote_final::by_status),
    rule("machine.ended", Weight::Machine, record::as_the_machine_saw_it),
];

/// The first conclusion, with the name of its rule.
pub(super) fn conclude(facts: &Facts<'_>) -> (&'static str, Draft) {
    RULES
        .iter()
        .find_map(|rule| {
            let draft = (rule.conclude)(facts)?;
            // Who only watches is never certain of what anybody meant.
            let most = if facts.watch.is_some() { Confidence::Strong } else { Confidence::Certain };
            Some((rule.id, draft.at_most(rule.weight.ceiling()).at_most(most)))
        })
        .unwrap_or_else(|| ("record.unexplained", record::unexplained(facts)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_begin_with_the_witness() {
        let mut seen = BTreeSet::new();
        for rule in RULES {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            let witness = format!("{:?}.", rule.weight).to_lowercase();
            assert!(rule.id.starts_with(&witness), "{} is no {witness}", rule.id);
        }
    }

    #[test]
    fn own_acts_are_heard_before_all_testimony_and_the_machine_last() {
        let first_other = RULES.iter().position(|rule| rule.weight > Weight::Own).unwrap();
        assert!(RULES[first_other..].iter().all(|rule| rule.weight > Weight::Own));
        assert_eq!(RULES.last().unwrap().weight, Weight::Machine);
        assert_eq!(RULES.iter().filter(|rule| rule.weight == Weight::Machine).count(), 1);
    }
}
