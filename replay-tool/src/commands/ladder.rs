//! `callbox ladder`: a call as a sequence chart.

use std::io::Write;

use crate::cli::Common;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::output::Output;
use crate::render::ladder;
use crate::{selector, source};
use callbox_events::view;

const EXAMPLES: &str = "\
Examples:
  callbox ladder latest
  callbox ladder latest --format html > call.html     one file, opens anywhere
  callbox ladder 3f2a --format mermaid                paste into an issue or a wiki

With --json the model of the chart is printed instead of a drawing.";

/// Draw a call as a sequence chart with relative times
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id, unique prefix, SIP Call-ID, or `latest`
    call: String,
    /// text, svg, html or mermaid
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Svg,
    Html,
    Mermaid,
}

/// Runs the command. With `--json` the chart's model is printed, whatever the format.
pub fn run(args: &Args, common: &Common, out: &mut Output) -> Result<ExitCode, Failure> {
    let reader = source::open(common)?;
    let commits = selector::call(reader.as_ref(), &args.call)?;
    let Some(chart) = view::ladder(&commits) else {
        return Err(Failure::new(
            ExitCode::Store,
            "no_beginning",
            "the record of this call lacks its beginning",
        )
        .hint("`callbox verify` lists every damage; `callbox show` still prints what there is"));
    };
    if common.json {
        out.json(&chart)?;
        return Ok(ExitCode::Ok);
    }
    match args.format {
        Format::Text => ladder::text::draw(out, &chart)?,
        Format::Svg => out.write_all(ladder::svg::draw(&chart).as_bytes())?,
        Format::Html => out.write_all(ladder::html::page(&chart, &commits).as_bytes())?,
        Format::Mermaid => out.write_all(ladder::mermaid::draw(&chart).as_bytes())?,
    }
    Ok(ExitCode::Ok)
}
