//! The chart in characters.

use std::io::{self, Write};

use anstyle::Style;
use callbox_events::call::EventKind;
use callbox_events::view::{Ladder, Mark, Row};

use super::absorbed;
use crate::output::Output;
use crate::render::style::{ACCENT, BAD, BOLD, DIM, GOOD, PLAIN, WARN};
use crate::render::time::offset;
use crate::render::words::{cut, width};

/// Columns for the time and the event's number, before the first life line.
const GUTTER: usize = 16;
/// Columns kept for notes right of the last life line, if that is ours.
const NOTES: usize = 50;

/// Draws the chart.
pub fn draw(out: &mut Output, chart: &Ladder) -> io::Result<()> {
    let columns = out.columns();
    let lines = life_lines(chart, columns);
    names(out, chart, &lines, columns)?;
    let mut before = None;
    for row in &chart.rows {
        let mut canvas = Canvas::new(columns);
        lines.iter().for_each(|line| canvas.put(*line, "│", DIM));
        stamp(&mut canvas, row, before);
        before = Some(row);
        match &row.mark {
            Mark::Arrow { from, to, label, status } => {
                let ends = (lines.get(*from).copied(), lines.get(*to).copied());
                if let (Some(from), Some(to)) = ends {
                    arrow(&mut canvas, from, to, label, *status);
                }
            }
            Mark::Note { at, text, kind } => {
                if let Some(line) = lines.get(*at) {
                    canvas.put(*line, "●", of_kind(*kind));
                    canvas.put(line + 2, text, of_kind(*kind));
                }
            }
        }
        canvas.print(out)?;
    }
    if let Some(text) = absorbed(chart.absorbed) {
        writeln!(out, "{DIM}{text}{DIM:#}")?;
    }
    Ok(())
}

/// The column of each life line.
fn life_lines(chart: &Ladder, columns: usize) -> Vec<usize> {
    let gaps = chart.participants.len().saturating_sub(1).max(1);
    let ours_is_last = chart.participants.last().is_some_and(|last| last.us);
    let right = if ours_is_last { NOTES } else { 12 };
    let widest = if ours_is_last { 40 } else { 56 };
    let gap = (columns.saturating_sub(GUTTER + right) / gaps).clamp(20, widest);
    (0..chart.participants.len()).map(|index| GUTTER + 1 + index * gap).collect()
}

fn names(out: &mut Output, chart: &Ladder, lines: &[usize], columns: usize) -> io::Result<()> {
    let gap = lines.get(1).zip(lines.first()).map_or(columns, |(second, first)| second - first);
    let mut heading = Canvas::new(columns);
    let mut details = Canvas::new(columns);
    for (participant, line) in chart.participants.iter().zip(lines) {
        let last = Some(line) == lines.last();
        let room = if last { columns.saturating_sub(*line) } else { gap.saturating_sub(2) };
        heading.put(*line, &cut(&participant.name, room), BOLD);
        details.put(*line, &cut(&participant.detail, room), DIM);
    }
    heading.print(out)?;
    details.print(out)
}

/// The time where it changes, the event's number where it does.
fn stamp(canvas: &mut Canvas, row: &Row, before: Option<&Row>) {
    if before.is_none_or(|before| before.offset != row.offset) {
        canvas.put(0, &format!("{:>9}", offset(row.offset)), PLAIN);
    }
    if matches!(row.mark, Mark::Note { .. }) {
        canvas.put(10, &format!("{:>4}", format!("#{}", row.event)), DIM);
    }
}

fn arrow(canvas: &mut Canvas, from: usize, to: usize, label: &str, status: Option<u16>) {
    let (left, right) = (from.min(to) + 1, from.max(to));
    let room = right.saturating_sub(left);
    let style = of_status(status);
    canvas.put(left, &"─".repeat(room), DIM);
    if to > from {
        canvas.put(right - 1, "▶", style)
    } else {
        canvas.put(left, "◀", style)
    }
    let label = format!(" {} ", cut(label, room.saturating_sub(6)));
    canvas.put(left + room.saturating_sub(width(&label)) / 2, &label, style);
}

fn of_status(status: Option<u16>) -> Style {
    match status {
        None => ACCENT,
        Some(100..200) => PLAIN,
        Some(200..300) => GOOD,
        Some(300..400) => WARN,
        Some(_) => BAD,
    }
}

fn of_kind(kind: EventKind) -> Style {
    match kind {
        EventKind::Ended => BOLD,
        EventKind::Ending
        | EventKind::EndingSent
        | EventKind::MediaRefused
        | EventKind::Recovered
        | EventKind::CancelSeen
        | EventKind::EndSeen => WARN,
        EventKind::Answered | EventKind::Connected | EventKind::FoundConnected => GOOD,
        EventKind::Placed
        | EventKind::Sent
        | EventKind::Offered
        | EventKind::Progressed
        | EventKind::Rang
        | EventKind::EarlyMedia
        | EventKind::Media
        | EventKind::MediaRequested
        | EventKind::Released
        | EventKind::Noted
        | EventKind::Observed => DIM,
    }
}

/// One line of characters, each with its style. Wide characters take two cells.
struct Canvas {
    cells: Vec<(Option<char>, Style)>,
}

impl Canvas {
    fn new(columns: usize) -> Self {
        Self { cells: vec![(Some(' '), PLAIN); columns] }
    }

    /// Writes over what is there; what does not fit is cut.
    fn put(&mut self, at: usize, text: &str, style: Style) {
        let mut column = at;
        for c in cut(text, self.cells.len().saturating_sub(at)).chars() {
            for (index, cell) in (0..width(c.encode_utf8(&mut [0; 4]))).enumerate() {
                if let Some(place) = self.cells.get_mut(column + cell) {
                    *place = ((index == 0).then_some(c), style);
                }
            }
            column += width(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn print(&self, out: &mut Output) -> io::Result<()> {
        let blank = |(c, _): &(Option<char>, Style)| *c == Some(' ');
        let end = self.cells.iter().rposition(|cell| !blank(cell)).map_or(0, |last| last + 1);
        let mut style = PLAIN;
        for (c, wanted) in self.cells.iter().take(end) {
            if *wanted != style {
                write!(out, "{style:#}{wanted}")?;
                style = *wanted;
            }
            if let Some(c) = c {
                write!(out, "{c}")?;
            }
        }
        writeln!(out, "{style:#}")
    }
}
