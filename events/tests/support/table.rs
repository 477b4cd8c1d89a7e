//! Tables of stories: a row has a title and fields, each on a line of its own; `#` begins a comment.

use std::collections::BTreeMap;

/// One row.
#[derive(Debug, Default)]
pub struct Row {
    /// What the story is.
    pub title: String,
    fields: BTreeMap<String, String>,
}

impl Row {
    /// A field of the row.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("row {} has no line {name}", self.title))
    }
}

/// Reads a table; of at least `least` rows, so that one that was lost is missed.
pub fn rows(text: &str, least: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap();
        match (word, rows.last_mut()) {
            ("row", _) => rows.push(Row { title: rest.into(), ..Row::default() }),
            (field, Some(row)) => {
                let again = row.fields.insert(field.into(), rest.into());
                assert!(again.is_none(), "row {} says {field} twice", row.title);
            }
            (field, None) => panic!("{field} stands before the first row"),
        }
    }
    assert!(rows.len() >= least, "the table has lost its rows: {}", rows.len());
    rows
}
