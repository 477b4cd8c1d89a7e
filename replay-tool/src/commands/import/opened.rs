//! A capture that was recognised, on its way into a journal.

use std::path::{Path, PathBuf};

use callbox_store::Journal;

use super::recorder::{Recorded, Recorder};
use crate::capture::input::{Input, Reach};
use crate::capture::{Capture, NotACapture, Outcome};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::progress::Progress;

/// A capture at its beginning.
pub struct Opened {
    path: PathBuf,
    capture: Capture<Input>,
    reach: Reach,
}

impl Opened {
    /// The file, or standard input for `-`.
    ///
    /// # Errors
    /// Told for people: it is not there, can't be read, or is no capture.
    pub fn at(path: &Path) -> Result<Self, Failure> {
        let input = Input::open(path).map_err(|error| unreadable(path, &error.into()))?;
        let reach = input.reach();
        let capture = Capture::open(input).map_err(|error| unreadable(path, &error))?;
        Ok(Self { path: path.to_owned(), capture, reach })
    }

    /// Reads it to its end, or to where it breaks, and writes its calls into `journal`, if there is one.
    ///
    /// # Errors
    /// The journal's, or that nothing in the capture is of a kind that is read.
    pub fn record(self, journal: Option<&dyn Journal>) -> Result<(Outcome, Recorded), Failure> {
        let mut recorder = Recorder::new(journal)?;
        let bar = Progress::bytes(self.reach.total);
        let outcome = self.capture.read(&mut recorder, &mut || bar.at(self.reach.done()));
        let recorded = recorder.finish()?;
        drop(bar);
        if outcome.tally.is_foreign() {
            return Err(foreign(&self.path, &outcome));
        }
        Ok((outcome, recorded))
    }
}

/// The file as people name it.
pub fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

fn unreadable(path: &Path, error: &NotACapture) -> Failure {
    let shown = shown(path);
    match error {
        NotACapture::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Failure::new(ExitCode::NotFound, "capture_not_found", format!("there is no file {shown}"))
                .hint("check the path; `-` reads standard input")
        }
        NotACapture::Io(error) => {
            Failure::new(ExitCode::Failure, "capture_unreadable", format!("{shown} can't be read: {error}"))
        }
        NotACapture::Empty | NotACapture::Unknown => {
            Failure::new(ExitCode::Failure, "not_a_capture", format!("{shown} is no capture: {error}"))
                .hint("record one with `tcpdump -w FILE` or `tshark -w FILE`")
        }
    }
}

fn foreign(path: &Path, outcome: &Outcome) -> Failure {
    let links: Vec<String> = outcome.tally.links.keys().map(ToString::to_string).collect();
    let message = format!("{} holds packets of {} alone, which is not read", shown(path), links.join(", "));
    Failure::new(ExitCode::Failure, "unsupported_link", message)
        .hint("capture on an Ethernet, Linux cooked, raw IP or loopback interface")
}
