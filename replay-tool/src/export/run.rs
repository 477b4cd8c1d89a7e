//! The walk of an export.

use callbox_store::{Cursor, JournalReader};

use super::selection::{Chosen, Selection};
use super::{CallSink, CommitSink, Sink};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::redact::{Redacting, Redactor};

/// Gives every chosen call to the sink, which the caller then finishes; returns how many there were.
pub fn run(
    reader: &dyn JournalReader,
    selection: &Selection<'_>,
    redactor: Option<&Redactor>,
    sink: &mut Sink,
) -> Result<u64, Failure> {
    match sink {
        Sink::Calls(sink) => calls(selection, redactor, sink.as_mut()),
        Sink::Commits(sink) => commits(reader, &selection.chosen()?, redactor, sink.as_mut()),
    }
}

fn calls(
    selection: &Selection<'_>,
    redactor: Option<&Redactor>,
    sink: &mut dyn CallSink,
) -> Result<u64, Failure> {
    let mut count = 0;
    for call in selection.calls()? {
        let mut call = call?;
        if let Some(redactor) = redactor {
            call = redactor.call(&call)?;
        }
        sink.call(&call)?;
        count += 1;
    }
    Ok(count)
}

/// The commits of the chosen calls in the order of the journal, up to its end as it was when the walk began.
fn commits(
    reader: &dyn JournalReader,
    chosen: &Chosen,
    redactor: Option<&Redactor>,
    sink: &mut dyn CommitSink,
) -> Result<u64, Failure> {
    if let Chosen::These(ids) = chosen
        && ids.is_empty()
    {
        return Ok(0);
    }
    let tail = reader.tail()?.seq();
    let progress = Progress::events(tail);
    let mut redacting = redactor.map(|redactor| Redacting::new(redactor, reader));
    let mut begun = 0;
    for stored in reader.read_all(Cursor::START)? {
        let stored = stored?;
        progress.advance(stored.commit.events.len() as u64);
        if stored.seq >= tail {
            break;
        }
        let is_chosen = chosen.has(stored.commit.call);
        sink.met(&stored, is_chosen)?;
        if !is_chosen {
            continue;
        }
        begun += u64::from(stored.commit.version == 0);
        match &mut redacting {
            Some(redacting) => {
                let (redacted, commitment) = redacting.commit(&stored)?;
                sink.commit(&redacted, Some(commitment))?;
            }
            None => sink.commit(&stored, None)?,
        }
    }
    Ok(match chosen {
        Chosen::These(ids) => ids.len() as u64,
        Chosen::All => begun,
    })
}
