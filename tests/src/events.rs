//! The daemon's notifications, as server-sent events.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait;

/// One notification.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// The global sequence number.
    pub seq: u64,
    /// `started`, `ringing`, ... `released`.
    pub name: String,
    /// Whose.
    pub call: String,
    /// All the daemon says about it.
    pub data: Value,
}

/// A follower of a daemon's notifications. Keeps all it has seen, so that a test may look back.
#[derive(Debug)]
pub struct Events {
    receive: Receiver<Notification>,
    seen: Vec<Notification>,
}

impl Events {
    /// Follows the daemon whose control API is on `port`, from sequence number `from` on.
    #[must_use]
    pub fn follow(port: u16, from: u64) -> Self {
        let (send, receive) = mpsc::channel();
        let agent: ureq::Agent = ureq::Agent::config_builder().build().into();
        let response = agent.get(format!("http://127.0.0.1:{port}/v1/events?from={from}")).call();
        let body = response.unwrap_or_else(|error| panic!("GET /v1/events: {error}")).into_body();
        std::thread::spawn(move || {
            let mut event = Partial::default();
            for line in BufReader::new(body.into_reader()).lines().map_while(Result::ok) {
                if let Some(notification) = event.line(&line)
                    && send.send(notification).is_err()
                {
                    return;
                }
            }
        });
        Self { receive, seen: Vec::new() }
    }

    /// Waits for the next notification; `None` if the daemon ended the stream or said nothing for `bound`.
    pub fn next_within(&mut self, bound: Duration) -> Option<Notification> {
        match self.receive.recv_timeout(bound) {
            Ok(notification) => {
                self.seen.push(notification.clone());
                Some(notification)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Waits until a notification fits; one that was seen before counts as well.
    ///
    /// # Panics
    /// With everything seen, if none comes within `bound`.
    pub fn until(
        &mut self,
        what: &str,
        bound: Duration,
        fits: impl Fn(&Notification) -> bool,
    ) -> Notification {
        if let Some(found) = self.seen.iter().find(|notification| fits(notification)) {
            return found.clone();
        }
        let end = Instant::now() + bound;
        while let Some(notification) = self.next_within(end.saturating_duration_since(Instant::now())) {
            if fits(&notification) {
                return notification;
            }
        }
        let names: Vec<_> = self.seen.iter().map(|n| format!("{} {} {}", n.seq, n.call, n.name)).collect();
        panic!("waited {bound:?} in vain for {what}; seen: {names:#?}")
    }

    /// Waits for `name` of `call`, as soon as may be expected.
    pub fn wait(&mut self, call: &str, name: &str) -> Notification {
        self.until(&format!("`{name}`"), wait::SOON, |n| n.call == call && n.name == name)
    }

    /// Waits for the next incoming call; its id.
    pub fn incoming(&mut self) -> String {
        self.until("an incoming call", wait::SOON, |n| n.name == "incoming").call
    }

    /// The names of all notifications of `call` so far.
    #[must_use]
    pub fn names(&self, call: &str) -> Vec<String> {
        self.seen.iter().filter(|n| n.call == call).map(|n| n.name.clone()).collect()
    }

    /// All notifications so far.
    #[must_use]
    pub fn seen(&self) -> &[Notification] {
        &self.seen
    }
}

/// An event of the stream of which some lines have arrived (WHATWG HTML, "server-sent events").
#[derive(Debug, Default)]
struct Partial {
    id: u64,
    name: String,
    data: String,
}

impl Partial {
    fn line(&mut self, line: &str) -> Option<Notification> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => {
                self.id = value.parse().unwrap_or_else(|_| panic!("the id is no sequence number: {value}"))
            }
            "event" => value.clone_into(&mut self.name),
            "data" => self.data.push_str(value),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Notification> {
        let Self { id, name, data } = std::mem::take(self);
        if name.is_empty() {
            return None;
        }
        let data: Value = serde_json::from_str(&data).unwrap_or_else(|_| panic!("no JSON in {name}: {data}"));
        let call = data["call_id"].as_str().or_else(|| data["call"].as_str());
        let call = call.unwrap_or_else(|| panic!("{name} names no call: {data}")).to_owned();
        Some(Notification { seq: id, name, call, data })
    }
}

#[cfg(test)]
mod tests {
    use super::Partial;

    #[test]
    fn an_event_is_read_from_its_lines_and_comments_are_passed_over() {
        let mut partial = Partial::default();
        for line in [": keep-alive", "id: 7", "event: ringing", "data: {\"call_id\":\"c1\"}"] {
            assert_eq!(partial.line(line), None);
        }
        let event = partial.line("").expect("the empty line ends the event");
        assert_eq!((event.seq, event.name.as_str(), event.call.as_str()), (7, "ringing", "c1"));
    }
}
