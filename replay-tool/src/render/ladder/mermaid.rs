//! The chart as a Mermaid sequence diagram, for issues and wikis.

use std::fmt::Write;

use callbox_events::view::{Ladder, Mark};

use super::absorbed;
use crate::render::time::offset;

/// Draws the chart.
pub fn draw(chart: &Ladder) -> String {
    let mut text = String::from("sequenceDiagram\n");
    for (index, participant) in chart.participants.iter().enumerate() {
        let _ = writeln!(
            text,
            "    participant P{index} as {}<br/>{}",
            escape(&participant.name),
            escape(&participant.detail)
        );
    }
    for row in &chart.rows {
        let time = offset(row.offset);
        let _ = match &row.mark {
            Mark::Arrow { from, to, label, status } => {
                let arrow = if status.is_some() { "-->>" } else { "->>" };
                writeln!(text, "    P{from}{arrow}P{to}: {} {time}", escape(label))
            }
            Mark::Note { at, text: note, .. } => {
                writeln!(text, "    Note over P{at}: {} {time}", escape(&format!("#{} {note}", row.event)))
            }
        };
    }
    if let Some(note) = absorbed(chart.absorbed) {
        let _ = writeln!(text, "    Note over P0: {}", escape(&note));
    }
    text
}

/// Characters that mean something to Mermaid become its entity codes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '#' | ';' | ':' | '<' | '>' | '"' | '&' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
