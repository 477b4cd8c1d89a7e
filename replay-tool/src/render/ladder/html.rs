//! The chart as one page that needs nothing else: verdict, chart, and every message in full.

use std::fmt::Write;

use callbox_events::schema::{StoredCommit, WireDirection};
use callbox_events::verdict::why;
use callbox_events::view::{CallSummary, Ladder, short_uri, timeline};

use super::{escape, svg};
use crate::render::time::{full, offset};

const STYLE: &str = "\
:root{color-scheme:light dark}body{margin:2rem auto;max-width:72rem;padding:0 1rem;\
font:16px/1.5 system-ui,sans-serif}h1{font-size:1.3rem;margin-bottom:.2rem}\
.dim{opacity:.7;font-size:.9rem}pre{overflow:auto;padding:.8rem;border:1px solid #8884;border-radius:6px}\
summary{cursor:pointer;font-family:ui-monospace,monospace;font-size:.85rem;padding:.15rem 0}\
figure{margin:1.5rem 0;overflow:auto}";

/// The page.
pub fn page(chart: &Ladder, commits: &[StoredCommit]) -> String {
    let call = commits.first().and_then(|stored| CallSummary::begin(&stored.commit));
    let title = call.as_ref().map_or_else(
        || "a call".to_owned(),
        |call| format!("{} → {}", short_uri(&call.from), short_uri(&call.to)),
    );
    let sentence = why(commits.iter().map(|stored| &stored.commit)).map(|why| why.verdict.summary);
    let mut html = String::new();
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\">\n<title>{0}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>\n",
        escape(&title)
    );
    if let Some(sentence) = sentence {
        let (en, zh) = (escape(&sentence.en), escape(&sentence.zh));
        let _ = writeln!(html, "<p>{en}</p>\n<p class=\"dim\" lang=\"zh\">{zh}</p>");
    }
    if let Some(call) = call {
        let id = escape(&call.sip_call_id);
        let started = full(call.started_at);
        let _ = writeln!(html, "<p class=\"dim\">call {} · Call-ID {id} · {started} UTC</p>", call.call_id);
    }
    let _ = writeln!(html, "<figure>\n{}</figure>", svg::draw(chart));
    messages(&mut html, commits);
    html.push_str("</html>\n");
    html
}

fn messages(html: &mut String, commits: &[StoredCommit]) {
    html.push_str("<h2>Messages</h2>\n");
    for step in timeline(commits) {
        for message in step.received.iter().chain(&step.sent) {
            let arrow = match message.direction {
                WireDirection::In => "←",
                WireDirection::Out => "→",
            };
            let _ = writeln!(
                html,
                "<details><summary>{} {arrow} {} {}</summary><pre>{}</pre></details>",
                offset(step.offset),
                message.peer,
                escape(&message.start_line),
                escape(&String::from_utf8_lossy(&message.bytes))
            );
        }
    }
}
