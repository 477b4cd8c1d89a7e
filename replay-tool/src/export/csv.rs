//! CSV (RFC 4180): UTF-8, CRLF, a header line, the columns of [`super::columns`]. Times are RFC 3339 in UTC.
//!
//! Spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula, and the texts in
//! here come from strangers. Such a text gets an apostrophe in front, which spreadsheets hide; whoever reads the file by
//! program takes one leading apostrophe off where one of these characters (or another apostrophe) follows it.

use super::CallSink;
use super::call::Call;
use super::columns::{COLUMNS, Value};
use super::destination::Destination;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Writes CSV.
pub struct Csv {
    out: ::csv::Writer<Destination>,
}

impl Csv {
    /// Writes the header line.
    pub fn new(out: Destination) -> Result<Self, Failure> {
        let mut builder = ::csv::WriterBuilder::new();
        let mut out = builder.terminator(::csv::Terminator::CRLF).buffer_capacity(1 << 12).from_writer(out);
        out.write_record(COLUMNS.iter().map(|column| column.name)).map_err(failed)?;
        Ok(Self { out })
    }
}

impl CallSink for Csv {
    fn call(&mut self, call: &Call) -> Result<(), Failure> {
        self.out.write_record(COLUMNS.iter().map(|column| cell((column.of)(call)))).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        self.out.into_inner().map_err(::csv::IntoInnerError::into_error)?.finish()
    }
}

fn cell(value: Value) -> String {
    match value {
        Value::Empty => String::new(),
        Value::Text(text) => harmless(text),
        Value::Time(at) => at.to_string(),
        Value::Number(number) => number.to_string(),
    }
}

/// The text so that no spreadsheet runs it.
fn harmless(text: String) -> String {
    let formula = |first: char| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\'');
    if text.starts_with(formula) { format!("'{text}") } else { text }
}

fn failed(error: ::csv::Error) -> Failure {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error.into(),
        other => {
            Failure::new(ExitCode::Failure, "output", format!("the table could not be written: {other:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_like_a_formula() {
        for (text, cell) in [
            ("sip:bob@example.com", "sip:bob@example.com"),
            ("=HYPERLINK(\"http://evil\")", "'=HYPERLINK(\"http://evil\")"),
            ("+49301", "'+49301"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("'x", "''x"),
            ("", ""),
        ] {
            assert_eq!(harmless(text.into()), cell);
        }
    }
}
