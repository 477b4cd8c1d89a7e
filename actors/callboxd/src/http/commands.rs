//! Commands to a call: `POST /v1/calls/{id}/{command}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use callbox::{Agent, Hangup, Outcome};
use callbox_events::call::Command;
use serde_json::json;

use super::Context;
use super::body::{self, DivertBody, HangupBody, NoBody, NoteBody};
use super::calls::{call_of, read};
use super::error::ApiError;

/// The commands that this path takes.
const KNOWN: [&str; 9] = ["ring", "accept", "hangup", "hold", "resume", "divert", "note", "dtmf", "transfer"];

/// Whether there is such a command.
pub fn is_known(command: &str) -> bool {
    KNOWN.contains(&command)
}

/// Gives the command; answers once it is durable.
pub async fn give(
    context: Data<Context>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let name = request.match_info().get("command").unwrap_or_default().to_owned();
    if !is_known(&name) {
        return Err(ApiError::unknown_path());
    }
    let call = call_of(&request)?;
    let command = parse(&name, &read(payload).await?)?;
    match context.engine()?.command(call, command).await? {
        outcome @ (Outcome::Accepted | Outcome::AlreadyEnded) => {
            Ok(HttpResponse::Accepted().json(json!({ "outcome": outcome })))
        }
        Outcome::Refused => Err(ApiError::refused(&name)),
    }
}

fn parse(name: &str, body: &[u8]) -> Result<Command, ApiError> {
    let plain = |command| body::optional::<NoBody>(body).map(|NoBody {}| command);
    match name {
        "ring" => plain(Command::Ring),
        "accept" => plain(Command::Accept),
        "hold" => plain(Command::Hold),
        "resume" => plain(Command::Resume),
        "hangup" => hangup(body::optional::<HangupBody>(body)?.check()?).map(Command::Hangup),
        "note" => {
            let NoteBody { what } = body::required(body)?;
            body::noted(&what).map(Command::Note)
        }
        "divert" => {
            let DivertBody { to } = body::required(body)?;
            body::one_line("to", &to)?;
            Ok(Command::Divert { to })
        }
        _ => Err(ApiError::not_supported(name).hint("tones and transfers come with a later version")),
    }
}

fn hangup(body: HangupBody) -> Result<Hangup, ApiError> {
    let HangupBody { status, reason, origin, cause } = body;
    let cause = cause.as_deref().map(body::stated_cause).transpose()?;
    Ok(Hangup { status, reason, cause, ..Hangup::by(origin.unwrap_or(Agent::User)) })
}
