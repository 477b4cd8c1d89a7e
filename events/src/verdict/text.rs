//! Words that evidence and summaries share.

use crate::party::Agent;

/// A span of time as a person says it: `430 ms`, `5.0 s`, `2 min 5 s`, `1 h 2 min`.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// The same in Chinese.
pub(super) fn span_zh(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} 毫秒"),
        1_000..60_000 => format!("{}.{} 秒", ms / 1000, ms % 1000 / 100),
        60_000..3_600_000 => format!("{} 分 {} 秒", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} 小时 {} 分", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// What acted, as a noun.
pub(super) fn agent(agent: Agent) -> &'static str {
    match agent {
        Agent::User => "user",
        Agent::Application => "application",
        Agent::Administrator => "administrator",
        Agent::Timer => "timer",
        Agent::Automaton => "automaton",
        Agent::Engine => "engine",
        Agent::Unknown => "side",
    }
}

/// ` with 603`, or nothing.
pub(super) fn status_words(status: Option<u16>) -> String {
    status.map(|status| format!(" with {status}")).unwrap_or_default()
}
