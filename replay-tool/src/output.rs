//! Where output goes: standard output, colours only where they are seen, as wide as the terminal is.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// The columns that are assumed where nobody looks: files, pipes.
pub const DEFAULT_WIDTH: usize = 100;

/// Where a command writes to: standard output, or memory in tests.
pub struct Output {
    inner: Box<dyn Write>,
    /// Columns to fit into; none if the output is no terminal and lines may be as long as they like.
    pub width: Option<usize>,
}

impl Output {
    /// Standard output as it is.
    pub fn stdout() -> Self {
        let inner = BufWriter::with_capacity(1 << 16, anstream::AutoStream::auto(io::stdout()));
        Self { inner: Box::new(inner), width: width() }
    }

    /// One JSON document on one line.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.inner, value)?;
        Ok(self.inner.write_all(b"\n")?)
    }

    /// The columns to draw in.
    pub fn columns(&self) -> usize {
        self.width.unwrap_or(DEFAULT_WIDTH)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = if io::stdout().is_terminal() { told.or_else(seen) } else { told };
    width.map(|columns: usize| columns.clamp(40, 400))
}

#[cfg(test)]
impl Output {
    /// What `draw` writes into `width` columns, without styles.
    pub fn captured(width: usize, draw: impl FnOnce(&mut Self) -> io::Result<()>) -> String {
        let (mut reader, writer) = io::pipe().unwrap();
        let writer: Box<dyn Write> = Box::new(writer);
        let inner = Box::new(anstream::StripStream::new(writer));
        let mut out = Self { inner, width: Some(width) };
        draw(&mut out).unwrap();
        drop(out);
        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        text
    }
}
