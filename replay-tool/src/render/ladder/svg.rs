//! The chart as one SVG, light and dark.

use std::fmt::Write;

use callbox_events::call::EventKind;
use callbox_events::view::{Ladder, Mark, Row};

use super::{absorbed, escape};
use crate::render::time::offset;

const LEFT: usize = 150;
const GAP: usize = 340;
const NOTES: usize = 380;
const TOP: usize = 70;
const LINE: usize = 26;

/// Colours follow the reader's scheme.
const STYLE: &str = "\
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#24292f}\
.name{font-weight:600}.dim,.time{fill:#6e7781}.life{stroke:#d0d7de}\
.arrow{stroke:#57606a;stroke-width:1.3}.head{fill:#57606a}.note{fill:#6e7781}\
.end{font-weight:600}.dot{fill:#8c959f}.dot.end{fill:#24292f}.bad{fill:#b3261e}.good{fill:#1a7f37}.back{fill:#fff}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim,.time,.note{fill:#8d96a0}.life{stroke:#30363d}\
.arrow{stroke:#8d96a0}.head{fill:#8d96a0}.dot.end{fill:#e6edf3}.bad{fill:#ff7b72}.good{fill:#3fb950}.back{fill:#0d1117}}";

/// Draws the chart.
pub fn draw(chart: &Ladder) -> String {
    let last = chart.participants.len().saturating_sub(1);
    let width = x(last) + if chart.participants.last().is_some_and(|last| last.us) { NOTES } else { 160 };
    let height = TOP + chart.rows.len() * LINE + 40;
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>Sequence chart of a call</title>\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"100%\" height=\"100%\"/>\n"
    );
    for (index, participant) in chart.participants.iter().enumerate() {
        let (x, name, detail) = (x(index), escape(&participant.name), escape(&participant.detail));
        let _ = writeln!(svg, "<text class=\"name\" x=\"{x}\" y=\"24\" text-anchor=\"middle\">{name}</text>");
        let _ =
            writeln!(svg, "<text class=\"dim\" x=\"{x}\" y=\"42\" text-anchor=\"middle\">{detail}</text>");
        let _ = writeln!(svg, "<path class=\"life\" d=\"M{x} 52V{}\"/>", height - 24);
    }
    for (index, row) in chart.rows.iter().enumerate() {
        let time = index.checked_sub(1).and_then(|before| chart.rows.get(before)).map(|before| before.offset);
        draw_row(&mut svg, row, TOP + index * LINE, time != Some(row.offset));
    }
    if let Some(text) = absorbed(chart.absorbed) {
        let _ = writeln!(svg, "<text class=\"dim\" x=\"12\" y=\"{}\">{}</text>", height - 8, escape(&text));
    }
    svg.push_str("</svg>\n");
    svg
}

fn x(index: usize) -> usize {
    LEFT + index * GAP
}

fn draw_row(svg: &mut String, row: &Row, y: usize, timed: bool) {
    if timed {
        let _ = writeln!(svg, "<text class=\"time\" x=\"12\" y=\"{}\">{}</text>", y + 4, offset(row.offset));
    }
    match &row.mark {
        Mark::Arrow { from, to, label, status } => {
            arrow(svg, (x(*from), x(*to)), y, label, *status);
        }
        Mark::Note { at, text, kind } => {
            let class = if *kind == EventKind::Ended { " end" } else { "" };
            let (x, text) = (x(*at), escape(text));
            let _ = writeln!(svg, "<circle class=\"dot{class}\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"/>");
            let _ = writeln!(
                svg,
                "<text class=\"note{class}\" x=\"{}\" y=\"{}\">#{} {text}</text>",
                x + 12,
                y + 4,
                row.event
            );
        }
    }
}

fn arrow(svg: &mut String, (from, to): (usize, usize), y: usize, label: &str, status: Option<u16>) {
    let class = match status {
        None | Some(100..200) | Some(300..400) => "",
        Some(200..300) => " class=\"good\"",
        Some(_) => " class=\"bad\"",
    };
    let (tip, back) = if to > from { (to - 2, to - 11) } else { (to + 2, to + 11) };
    let _ = writeln!(svg, "<path class=\"arrow\" d=\"M{from} {y}H{back}\"/>");
    let _ = writeln!(svg, "<path class=\"head\" d=\"M{tip} {y}L{back} {}V{}Z\"/>", y - 4, y + 4);
    let _ = writeln!(
        svg,
        "<text{class} x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        usize::midpoint(from, to),
        y - 5,
        escape(label)
    );
}
