//! The few colours there are.

use anstyle::{AnsiColor, Style};

/// What stands out.
pub const BOLD: Style = Style::new().bold();
/// What steps back: times, numbers, labels.
pub const DIM: Style = Style::new().dimmed();
/// What went well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What wants a look.
pub const WARN: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Names and arrows.
pub const ACCENT: Style = AnsiColor::Cyan.on_default();
/// Nothing special.
pub const PLAIN: Style = Style::new();

/// The colour of a family of causes.
pub fn family(code: Option<&str>) -> Style {
    match code {
        Some("cleared") => GOOD,
        Some("abandoned" | "refused" | "unanswered" | "elsewhere" | "moved") => WARN,
        Some("unknown") | None => DIM,
        Some(_) => BAD,
    }
}
