//! `GET /metrics` (Prometheus text format 0.0.4) and `GET /healthz`.
//!
//! Calls, commits and events are counted from the journal, when somebody asks: the counter reads on from where it stood.
//! So counting costs the calls themselves nothing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use callbox::Engine;
use callbox_events::call::{Act, Event};
use callbox_events::party::{Agent, Side};
use callbox_events::schema::{Commit, StoredCommit};
use callbox_store::{Cursor, ReadError};
use serde_json::json;

use super::Context;
use super::error::ApiError;
use crate::failure::Failure;
use crate::hep::Counters;

/// How far one scrape reads before it answers; the next one goes on from there.
const PATIENCE: usize = 1_000_000;

/// What was counted since the start.
#[derive(Debug)]
pub struct Metrics(Mutex<Counted>);

#[derive(Debug, Clone, Default)]
struct Counted {
    cursor: Cursor,
    commits: u64,
    events: u64,
    placed: u64,
    offered: u64,
    answered: u64,
    released: u64,
    sent_again: u64,
    received_again: u64,
    stray: u64,
    ended: BTreeMap<(&'static str, &'static str, &'static str), u64>,
}

impl Metrics {
    /// Counts from now on.
    ///
    /// # Errors
    /// If the journal can't say where it ends.
    pub fn of(engine: &Engine) -> Result<Self, Failure> {
        let cursor = engine.journal().tail().map_err(|e| Failure::other(e.to_string()))?;
        Ok(Self(Mutex::new(Counted { cursor, ..Counted::default() })))
    }

    fn count(&self, engine: &Engine) -> Result<Counted, ReadError> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for stored in engine.journal().read_all(counted.cursor)?.take(PATIENCE) {
            counted.take(&stored?);
        }
        Ok(counted.clone())
    }
}

impl Counted {
    fn take(&mut self, stored: &StoredCommit) {
        self.cursor = Cursor::after(stored);
        self.commits += 1;
        self.commit(&stored.commit);
    }

    fn commit(&mut self, commit: &Commit) {
        for happened in &commit.events {
            self.events += 1;
            match &happened.event {
                Event::Placed(_) => self.placed += 1,
                Event::Offered(_) => self.offered += 1,
                Event::Answered(_) => self.answered += 1,
                Event::Ended(ended) => {
                    let (act, side, agent): (Act, Side, Agent) = (ended.act, ended.side, ended.agent);
                    *self.ended.entry((act.code(), side.code(), agent.code())).or_default() += 1;
                }
                Event::Released(counters) => {
                    self.released += 1;
                    self.sent_again += u64::from(counters.sent_again);
                    self.received_again += u64::from(counters.received_again);
                    self.stray += u64::from(counters.stray);
                }
                Event::Sent { .. }
                | Event::Progressed(_)
                | Event::Rang(_)
                | Event::EarlyMedia(_)
                | Event::Connected
                | Event::Media(_)
                | Event::MediaRequested { .. }
                | Event::MediaRefused { .. }
                | Event::EndingSent
                | Event::Ending(_)
                | Event::Recovered(_)
                | Event::Noted(_)
                | Event::Observed(_)
                | Event::FoundConnected
                | Event::CancelSeen
                | Event::EndSeen(_) => {}
            }
        }
    }

    fn text(&self, live: usize, uptime: Duration) -> String {
        let mut text = Text(String::with_capacity(4096));
        text.one("callbox_uptime_seconds", "gauge", "Since the control API started.", uptime.as_secs_f64());
        text.one("callbox_calls_live", "gauge", "Calls that are not over.", live);
        text.head("callbox_calls_started_total", "counter", "Calls begun.");
        text.line("callbox_calls_started_total{direction=\"outgoing\"}", self.placed);
        text.line("callbox_calls_started_total{direction=\"incoming\"}", self.offered);
        text.one("callbox_calls_answered_total", "counter", "Calls answered.", self.answered);
        text.head(
            "callbox_calls_ended_total",
            "counter",
            "Calls over, by the act that ended them and whose it was.",
        );
        for ((act, side, agent), count) in &self.ended {
            let name =
                format!("callbox_calls_ended_total{{act=\"{act}\",side=\"{side}\",agent=\"{agent}\"}}");
            text.line(&name, count);
        }
        text.one(
            "callbox_calls_released_total",
            "counter",
            "Calls whose transactions are done.",
            self.released,
        );
        text.one("callbox_events_appended_total", "counter", "Events durable in the journal.", self.events);
        text.one("callbox_commits_total", "counter", "Commits durable in the journal.", self.commits);
        text.one(
            "callbox_messages_sent_again_total",
            "counter",
            "Retransmissions sent, of released calls.",
            self.sent_again,
        );
        text.one(
            "callbox_messages_received_again_total",
            "counter",
            "Retransmissions absorbed, of released calls.",
            self.received_again,
        );
        text.one(
            "callbox_messages_stray_total",
            "counter",
            "Messages that fitted nothing, of released calls.",
            self.stray,
        );
        text.0
    }
}

/// Prometheus text under construction.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String can't fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn line(&mut self, name: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.head(name, kind, help);
        self.line(name, value);
    }
}

/// What the mirror counts.
fn mirror(counters: &Counters) -> String {
    let mut text = Text(String::new());
    text.head("callbox_hep_packets_total", "counter", "HEP packets received, by what became of them.");
    for (result, count) in counters.packets() {
        text.line(&format!("callbox_hep_packets_total{{result=\"{result}\"}}"), count);
    }
    for (name, help, counter) in [
        ("callbox_hep_skewed_total", "Messages whose sender's clock is not believed.", &counters.skewed),
        ("callbox_hep_calls_total", "Observed calls begun in the journal.", &counters.calls),
        (
            "callbox_hep_resumed_total",
            "Observed calls of an earlier mirror that were taken up again.",
            &counters.resumed,
        ),
        (
            "callbox_hep_unwritten_total",
            "Records of observed calls that the journal refused.",
            &counters.unwritten,
        ),
    ] {
        text.one(name, "counter", help, counter.load(Ordering::Relaxed));
    }
    text.0
}

/// `GET /metrics`.
pub async fn show(context: Data<Context>) -> Result<HttpResponse, ApiError> {
    let live = context.engine()?.calls().await.iter().filter(|call| call.is_live()).count();
    let uptime = context.started.elapsed();
    let mirrored = context.mirror.as_deref().map(mirror).unwrap_or_default();
    let (counting, engine) = (Data::clone(&context), context.engine()?);
    let counted = actix_web::web::block(move || counting.metrics.count(&engine))
        .await
        .map_err(|_| ApiError::internal("counting failed"))??;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(counted.text(live, uptime) + &mirrored))
}

/// `GET /healthz`: whether calls can be taken and recorded.
pub async fn health(context: Data<Context>) -> Result<HttpResponse, ApiError> {
    if let Some(error) = context.engine()?.journal().refusal() {
        return Err(ApiError::unavailable("journal_unavailable", error.to_string()).hint(error.hint()));
    }
    Ok(HttpResponse::Ok().json(json!({ "status": "ok" })))
}
