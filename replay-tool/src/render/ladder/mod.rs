//! Sequence charts: one model, four ways to draw it.

pub mod html;
pub mod mermaid;
pub mod svg;
pub mod text;

use callbox_events::sip::Counters;

/// What has no arrow: `2 messages sent again and 1 received again are not drawn`; none if nothing was absorbed.
fn absorbed(counters: Counters) -> Option<String> {
    let counts = [
        (counters.sent_again, "sent again"),
        (counters.received_again, "received again"),
        (counters.stray, "stray"),
    ];
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| format!("not drawn: {}", parts.join(", ")))
}

/// Text for XML and HTML. Characters that XML can't hold are replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
