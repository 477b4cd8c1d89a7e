//! The columns of tables: one list for every tabular format. Additive: a new column goes to the end.

use callbox_events::Timestamp;
use callbox_events::verdict::SeenReason;

use super::call::Call;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text from the wire or from people; may begin with anything.
    Text,
    /// A code of ours: lower-case words, few different ones.
    Code,
    /// A point in time: microseconds since 1970, UTC.
    Time,
    /// A number, not negative.
    Number,
}

impl Kind {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Code => "code",
            Self::Time => "time",
            Self::Number => "number",
        }
    }
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Empty,
    /// Of a text or code column.
    Text(String),
    /// Of a time column.
    Time(Timestamp),
    /// Of a number column.
    Number(u64),
}

impl Value {
    fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    fn number(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.into()))
    }

    fn time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Empty, Self::Time)
    }
}

/// One column.
pub struct Column {
    /// Its name, as in the header line.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is never empty.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
    /// Its cell of a call.
    pub of: fn(&Call) -> Value,
}

macro_rules! columns {
    ($($name:literal $kind:ident $($required:ident)?, $about:literal, $of:expr;)+) => {
        /// All columns in their order.
        pub const COLUMNS: &[Column] = &[$(Column {
            name: $name,
            kind: Kind::$kind,
            required: columns!(@ $($required)?),
            about: $about,
            of: $of,
        }),+];
    };
    (@) => { false };
    (@ required) => { true };
}

columns! {
    "call_id" Text required, "our id of the call", |c| Value::Text(c.summary.call_id.to_string());
    "sip_call_id" Text required, "the Call-ID header", |c| Value::Text(c.summary.sip_call_id.clone());
    "direction" Code required, "outgoing, incoming, observed", |c| Value::Text(c.summary.direction.code().into());
    "from" Text required, "who calls, a URI", |c| Value::Text(c.summary.from.clone());
    "to" Text required, "who is called, a URI", |c| Value::Text(c.summary.to.clone());
    "started_at" Time required, "when the first event was recorded", |c| Value::Time(c.summary.started_at);
    "answered_at" Time, "when the 2xx came or went", |c| Value::time(c.summary.answered_at);
    "ended_at" Time, "when it was over; the latest possible time after a crash", |c| Value::time(c.summary.ended_at);
    "duration_ms" Number, "milliseconds from the answer to the end", |c| Value::number(c.summary.duration_ms);
    "phase" Code required, "where the state machine stands", |c| Value::Text(c.summary.phase.code().into());
    "events" Number required, "recorded events", |c| Value::Number(c.summary.events);
    "local_side" Code, "which end we are: caller, callee", |c| Value::text(c.why.local_side.map(|side| side.code()));
    "family" Code required, "family of the cause", |c| Value::Text(c.why.verdict.family.code().into());
    "cause" Code required, "why it ended", |c| Value::Text(c.why.verdict.cause.code().into());
    "underlying" Code, "the cause that this one hides, such as the busy behind an announcement",
        |c| Value::text(c.why.verdict.underlying.as_ref().map(|hidden| hidden.cause.code()));
    "side" Code required, "the side that caused the end", |c| Value::Text(c.why.verdict.ended_by.side.code().into());
    "agent" Code required, "what acted there", |c| Value::Text(c.why.verdict.ended_by.agent.code().into());
    "act" Code, "by which act", |c| Value::text(c.why.verdict.act.map(|act| act.code()));
    "ended_in" Code required, "how far the call had come", |c| Value::Text(c.why.verdict.phase.code().into());
    "answer_kind" Code, "what answered", |c| Value::text(c.why.verdict.answer_kind.map(|kind| kind.code()));
    "races" Code, "acts that crossed, separated by blanks", |c| races(c);
    "fault" Code required, "whose fault it was", |c| Value::Text(c.why.verdict.fault.code().into());
    "confidence" Code required, "how sure the verdict is", |c| Value::Text(c.why.verdict.confidence.code().into());
    "completeness" Code required, "how much is on record", |c| Value::Text(c.why.verdict.completeness.code().into());
    "sip_status" Number, "final status of the INVITE", |c| Value::number(c.why.verdict.sip.status);
    "sip_phrase" Text, "its phrase", |c| Value::text(c.why.verdict.sip.phrase.clone());
    "q850_cause" Number, "the first Q.850 cause in a Reason header", |c| Value::number(q850(c));
    "reasons" Text, "all Reason values, each with its message, separated by semicolons", |c| reasons(c);
    "rulebook" Code required, "version of the rules that judged", |c| Value::Text(c.why.verdict.rulebook.clone());
    "summary_en" Text required, "the verdict in a sentence", |c| Value::Text(c.why.verdict.summary.en.clone());
    "summary_zh" Text required, "the same in Chinese", |c| Value::Text(c.why.verdict.summary.zh.clone());
}

fn races(call: &Call) -> Value {
    let kinds: Vec<&str> = call.why.verdict.races.iter().map(|race| race.kind.code()).collect();
    Value::text((!kinds.is_empty()).then(|| kinds.join(" ")))
}

fn q850(call: &Call) -> Option<u16> {
    let is_q850 = |reason: &&SeenReason| reason.protocol.eq_ignore_ascii_case("q.850");
    call.why.verdict.sip.reasons.iter().filter(is_q850).find_map(|reason| reason.cause)
}

fn reasons(call: &Call) -> Value {
    let one = |reason: &SeenReason| {
        let cause = reason.cause.map(|cause| format!(" {cause}")).unwrap_or_default();
        let text = reason.text.as_ref().map(|text| format!(" {text:?}")).unwrap_or_default();
        format!("{}{cause}{text} in {}", reason.protocol, reason.message)
    };
    let all: Vec<String> = call.why.verdict.sip.reasons.iter().map(one).collect();
    Value::text((!all.is_empty()).then(|| all.join("; ")))
}
