//! `callboxd demo`: every way a call ends, played over real UDP, journalled, and explained from the journal.

mod flow;
mod flows;
mod judgement;
mod player;
mod report;
mod server;
mod stage;
mod timing;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use callbox_store::Journal;
use callbox_store::sled::{Options, SledJournal};
use tokio::task::LocalSet;

use crate::failure::{Exit, Failure};
use report::Line;
use stage::Stage;

/// Plays, explains, compares.
///
/// # Errors
/// A finding if a flow did not end as its row says, else what went wrong.
pub fn run(store: Option<PathBuf>) -> Result<(), Failure> {
    let store = store.map_or_else(new_directory, Ok)?;
    let journal: Arc<dyn Journal> = Arc::new(
        SledJournal::open(&store, Options::default())
            .map_err(|e| Failure::new(Exit::Store, e.to_string()).hint(e.hint()))?,
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::other(format!("no runtime: {e}")))?;
    LocalSet::new().block_on(&runtime, perform(journal, &store))
}

/// A new directory that is kept.
fn new_directory() -> Result<PathBuf, Failure> {
    tempfile::Builder::new()
        .prefix("callbox-demo-")
        .tempdir()
        .map(tempfile::TempDir::keep)
        .map_err(|e| Failure::other(format!("no temporary directory: {e}")))
}

async fn perform(journal: Arc<dyn Journal>, store: &Path) -> Result<(), Failure> {
    let stage = Rc::new(Stage::build(Arc::clone(&journal)).await?);
    say(&report::opening(stage.addresses()?, store));
    let mut lines = Vec::new();
    for played in player::play(&stage).await? {
        let sides = judgement::judge(stage.journal(), &played).map_err(|e| Failure::other(e.to_string()))?;
        lines.push(Line { played, sides });
    }
    say(&report::table(&lines));
    say(&report::reasons(&lines));
    say(&report::follow_up(&lines, store));
    match Rc::into_inner(stage) {
        Some(stage) => stage.close().await?,
        None => tracing::warn!("somebody still moves; the engines end with the program"),
    }
    let findings = report::findings(&lines);
    if findings.is_empty() {
        return Ok(());
    }
    let count = findings.len();
    Err(Failure::new(Exit::Finding, format!("{count} findings:\n  {}", findings.join("\n  ")))
        .hint("each flow must end as its row in the table of scenarios says"))
}

/// Prints a paragraph. An audience that left does not stop the play.
fn say(paragraph: &str) {
    let mut stdout = std::io::stdout().lock();
    if writeln!(stdout, "{paragraph}").and_then(|()| stdout.flush()).is_err() {
        tracing::debug!("nobody reads stdout");
    }
}
