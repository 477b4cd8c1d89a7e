//! Words and columns: counting, cutting, padding, wrapping.

use std::borrow::Cow;

use callbox_events::view::{Difference, gist};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `1 call`, `2 calls`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The columns a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text with control characters made visible: what came from the network must not steer the terminal.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    } else {
        text.into()
    }
}

/// The text in at most `columns` columns, with an ellipsis if it had to be cut.
pub fn cut(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let mut taken = 0;
    let mut short: String = text
        .chars()
        .take_while(|c| {
            taken += c.width().unwrap_or(0);
            taken < columns
        })
        .collect();
    short.push('…');
    short
}

/// The text cut or filled to exactly `columns` columns.
pub fn pad(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns);
    text.push_str(&" ".repeat(columns.saturating_sub(width(&text))));
    text
}

/// Lines of at most `columns` columns, broken at spaces; between any two characters where there are none to break at
/// and the script has none (Chinese).
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in clean(text).split_inclusive(|c: char| c == ' ' || c.width() == Some(2)) {
        let full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && width(line) + width(word.trim_end()) > columns.max(20));
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A code as words: `early_media` is `early media`.
pub fn plain(code: &str) -> String {
    code.replace('_', " ")
}

/// What differs between a record and the machine, one line each.
pub fn difference(what: &Difference) -> Vec<String> {
    match what {
        Difference::Event { recorded, decided } => {
            let shown = |event: &Option<Box<callbox_events::call::Event>>| {
                event.as_ref().map_or_else(|| "nothing".into(), |event| gist(event))
            };
            let (recorded_gist, decided_gist) = (shown(recorded), shown(decided));
            let mut lines = vec![format!("recorded  {recorded_gist}"), format!("decided   {decided_gist}")];
            if recorded_gist == decided_gist {
                lines.extend(details(recorded.as_deref(), decided.as_deref()));
            }
            lines
        }
        Difference::Message { recorded, decided } => {
            let shown =
                |message: &Option<String>| clean(message.as_deref().unwrap_or("nothing")).into_owned();
            vec![format!("recorded  {} left", shown(recorded)), format!("decided   {}", shown(decided))]
        }
        Difference::Phase { .. } | Difference::Illegal { .. } | Difference::Version { .. } => {
            vec![what.to_string()]
        }
    }
}

/// The same words can hide different data: the JSON of both.
fn details(
    recorded: Option<&callbox_events::call::Event>,
    decided: Option<&callbox_events::call::Event>,
) -> Vec<String> {
    let json = |event: Option<&callbox_events::call::Event>| {
        event.and_then(|event| serde_json::to_string(event).ok()).unwrap_or_default()
    };
    vec![format!("          {}", json(recorded)), format!("          {}", json(decided))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_padded_by_columns_not_bytes() {
        assert_eq!(cut("alice@example.org", 8), "alice@e…");
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(pad("对方", 6), "对方  ");
        assert_eq!(cut("对方已挂断", 5), "对方…");
    }

    #[test]
    fn text_wraps_at_spaces_and_between_chinese_characters() {
        assert_eq!(wrap("one two three four five six", 20), ["one two three four", "five six"]);
        assert_eq!(wrap("通话由对方挂断，共通话十二秒。", 20), ["通话由对方挂断，共通", "话十二秒。"]);
    }
}
