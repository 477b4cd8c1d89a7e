//! The result for people: each axis of each tool, then what went wrong.

use std::fmt::Write as _;

use super::score::{Judged, Outcome, totals};
use super::{Axis, View};

/// One line an axis and one for all, the tools side by side.
#[must_use]
pub fn scores(tools: &[(&str, Vec<Judged>)]) -> String {
    let mut out = String::from("| axis |");
    for (tool, _) in tools {
        let _ = write!(out, " {tool}: score | right / unsaid / wrong |");
    }
    out += "\n|---|";
    out += &"---|---|".repeat(tools.len());
    let sums: Vec<_> = tools.iter().map(|(_, judged)| totals(judged)).collect();
    for axis in Axis::ALL {
        let _ = write!(out, "\n| {} |", axis.name());
        for (axes, _) in &sums {
            let score = axes.get(&axis).copied().unwrap_or_default();
            let wrong = score.wrong + score.confidently_wrong;
            let _ = write!(out, " {:.1} % | {} / {} / {wrong} |", score.percent(), score.right, score.unsaid);
        }
    }
    out += "\n| **all** |";
    for (_, all) in &sums {
        let wrong = all.wrong + all.confidently_wrong;
        let _ = write!(out, " **{:.1} %** | {} / {} / {wrong} |", all.percent(), all.right, all.unsaid);
    }
    out + "\n"
}

/// Every answer that is not right, one a line: call, axis, label, what was said.
#[must_use]
pub fn confusions(judged: &[Judged], unsaid_too: bool) -> String {
    let mut out = String::new();
    for call in judged {
        let name = format!("{}/{}{}", call.label.sheet, call.label.call, seen(call.label.view));
        if !call.found {
            let _ = writeln!(out, "{name}: no such call, or several");
        }
        for answer in &call.answers {
            let how = match answer.outcome {
                Outcome::Right => continue,
                Outcome::Unsaid if !unsaid_too => continue,
                Outcome::Unsaid => "unsaid",
                Outcome::Wrong => "wrong",
                Outcome::ConfidentlyWrong => "WRONG AND SURE",
            };
            let axis = answer.axis.name();
            let _ = writeln!(out, "{name}: {axis}: {how}: label {}, said {}", answer.label, answer.said);
        }
    }
    out
}

fn seen(view: View) -> &'static str {
    match view {
        View::Wire => "",
        View::Caller => " (own record of the caller)",
        View::Callee => " (own record of the callee)",
    }
}
