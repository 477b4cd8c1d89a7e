//! The table's text as rows.

/// One row: a story and what its record must say.
#[derive(Debug, Default)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub steps: Vec<Step>,
    pub expectations: Vec<Expectation>,
}

/// Something that is done.
#[derive(Debug)]
pub struct Step {
    /// At the same instant as the step before.
    pub together: bool,
    pub words: Vec<String>,
}

/// Something that must hold at one side.
#[derive(Debug)]
pub enum Expectation {
    Verdict { at: String, fields: Vec<(String, String)> },
    Tells { at: String, names: Vec<String> },
}

pub fn parse(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines() {
        let line = line.split("# ").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(head) = line.strip_prefix("row ") {
            let (id, title) = head.split_once(' ').unwrap_or((head, ""));
            rows.push(Row { id: id.into(), title: title.into(), ..Row::default() });
            continue;
        }
        let row = rows.last_mut().expect("a row begins before its lines");
        match expectation(line) {
            Some(expectation) => row.expectations.push(expectation),
            None => row.steps.push(step(line)),
        }
    }
    rows
}

fn step(line: &str) -> Step {
    let (together, line) = match line.strip_prefix("+ ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    Step { together, words: line.split_whitespace().map(str::to_owned).collect() }
}

fn expectation(line: &str) -> Option<Expectation> {
    let (head, rest) = line.split_once(": ")?;
    let words = rest.split_whitespace();
    let mut head = head.split_whitespace();
    let at = head.next()?.to_owned();
    match head.next() {
        None => {
            let fields = words.map(|word| {
                let (key, value) = word.split_once('=').expect("key=value");
                (key.to_owned(), value.to_owned())
            });
            Some(Expectation::Verdict { at, fields: fields.collect() })
        }
        Some("tells") => Some(Expectation::Tells { at, names: words.map(str::to_owned).collect() }),
        Some(_) => None,
    }
}
