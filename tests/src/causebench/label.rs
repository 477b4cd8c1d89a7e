//! Labels: what was made to happen, in a text beside the capture, one block a call.
//!
//! ```text
//! cancel-crosses-200
//!   > A>B INVITE; ...                       the script of the recorder, passed over here
//!   = cancelled caller unknown cancel ringing unknown strong full
//!   hides: busy                             what the cause hides
//!   races: cancel_vs_200 callee_answer      kind and winner; one line each
//!   gap: ICMP is not read                   why callbox does not meet this label, yet
//!   own caller = hangup caller user bye connected unknown certain full
//! ```
//!
//! The words after `=` are cause, side, agent, act, phase, answer, sure, completeness. `-` is nothing, and `a|b` means
//! that the wire leaves both open. `own` labels are for the record of an engine that was that end of the call: it knows
//! more than the wire does. Where there are several, `hides:`, `races:` and `gap:` belong to the line above them.

use std::collections::BTreeMap;

use callbox_events::verdict::{Cause, Family};

use super::Axis;

/// From where a call was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// From beside the wire.
    Wire,
    /// As the calling end.
    Caller,
    /// As the called end.
    Callee,
}

/// What is true of one call, seen from one place.
#[derive(Debug, Clone)]
pub struct Label {
    /// The capture's name.
    pub sheet: String,
    /// The call: how its Call-ID begins, or the user that was called.
    pub call: String,
    /// From where.
    pub view: View,
    /// The line of the text.
    pub line: usize,
    /// Why callbox is known not to meet it; it is scored all the same.
    pub gap: Option<String>,
    /// What counts as right; for [`Axis::Races`] each one that has to be named, `kind winner|winner`.
    axes: BTreeMap<Axis, Vec<String>>,
}

impl Label {
    /// What counts as right on an axis.
    #[must_use]
    pub fn right(&self, axis: Axis) -> &[String] {
        self.axes.get(&axis).map_or(&[], Vec::as_slice)
    }

    /// The same label for a call of another name.
    #[must_use]
    pub fn named(self, call: String) -> Self {
        Self { call, ..self }
    }

    /// Whether one can be sure of it: the wire, or the protocol, leaves no doubt.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        self.right(Axis::Sure).iter().all(|sure| matches!(sure.as_str(), "certain" | "strong"))
    }
}

/// Reads the labels of one text.
///
/// # Errors
/// The line and what is wrong with it.
pub fn read(sheet: &str, text: &str) -> Result<Vec<Label>, String> {
    let mut labels: Vec<Label> = Vec::new();
    let mut call = String::new();
    for (index, line) in text.lines().enumerate() {
        let (number, indented) = (index + 1, line.starts_with(' '));
        let line = line.trim();
        let fail = |why: String| format!("{number}: {why}");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !indented {
            call = line.split_whitespace().next().unwrap_or_default().to_owned();
            continue;
        }
        if let Some((view, words)) = opening(line) {
            let axes = axes(words).map_err(fail)?;
            let (sheet, call) = (sheet.to_owned(), call.clone());
            labels.push(Label { sheet, call, view, line: number, gap: None, axes });
            continue;
        }
        let Some((word, rest)) = line.split_once(": ") else { continue };
        if !matches!(word, "hides" | "races" | "gap") {
            continue;
        }
        let label = labels.last_mut().ok_or_else(|| fail("no label above".to_owned()))?;
        match word {
            "hides" => drop(label.axes.insert(Axis::Hides, alternatives(rest.trim()))),
            "races" => label.axes.entry(Axis::Races).or_default().push(rest.trim().to_owned()),
            _ => label.gap = Some(rest.to_owned()),
        }
    }
    Ok(labels)
}

fn opening(line: &str) -> Option<(View, &str)> {
    let (head, words) = line.split_once('=')?;
    match head.trim() {
        "" => Some((View::Wire, words)),
        "own caller" => Some((View::Caller, words)),
        "own callee" => Some((View::Callee, words)),
        _ => None,
    }
}

fn axes(words: &str) -> Result<BTreeMap<Axis, Vec<String>>, String> {
    const COLUMNS: [Axis; 8] = [
        Axis::Cause,
        Axis::Side,
        Axis::Agent,
        Axis::Act,
        Axis::Phase,
        Axis::Answer,
        Axis::Sure,
        Axis::Completeness,
    ];
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.len() != COLUMNS.len() {
        return Err(format!("a label has {} words, not {}", COLUMNS.len(), words.len()));
    }
    let mut axes: BTreeMap<Axis, Vec<String>> =
        COLUMNS.into_iter().zip(words).map(|(axis, word)| (axis, alternatives(word))).collect();
    let mut families = Vec::new();
    for cause in &axes[&Axis::Cause] {
        let cause: Cause = cause.parse().map_err(|_| format!("no such cause: {cause}"))?;
        families.push(Family::code(cause.family()).to_owned());
    }
    axes.insert(Axis::Family, families);
    Ok(axes)
}

fn alternatives(word: &str) -> Vec<String> {
    word.split('|').map(str::to_owned).collect()
}
