//! The daemon's control API.

use std::time::Duration;

use serde_json::{Value, json};

/// A client of one daemon's control API.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    agent: ureq::Agent,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as JSON; `Null` where it is not.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Api {
    /// The API on a port of loopback.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder();
        let config = config.http_status_as_error(false).timeout_global(Some(Duration::from_secs(20)));
        Self { base: format!("http://127.0.0.1:{port}"), agent: config.build().into() }
    }

    /// GET.
    #[must_use]
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// GET; the error if the daemon does not answer at all.
    ///
    /// # Errors
    /// What the HTTP client says.
    pub fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        self.agent.get(format!("{}{path}", self.base)).call().and_then(answer)
    }

    /// POST of a JSON body.
    #[must_use]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, &body.to_string())
    }

    /// POST of any body under the content type of JSON.
    #[must_use]
    pub fn post_text(&self, path: &str, body: &str) -> Answer {
        let request =
            self.agent.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        request.send(body).and_then(answer).unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// Places a call; its id.
    #[must_use]
    pub fn place(&self, call: &Value) -> String {
        let answer = self.post("/v1/calls", call);
        assert_eq!(answer.status, 201, "placing a call: {}", answer.text);
        answer.body["call_id"].as_str().expect("an id").to_owned()
    }

    /// Gives a command to a call and expects its acceptance.
    pub fn command(&self, call: &str, verb: &str, body: &Value) {
        let answer = self.post(&format!("/v1/calls/{call}/{verb}"), body);
        assert_eq!(
            (answer.status, &answer.body["outcome"]),
            (202, &json!("accepted")),
            "{verb}: {}",
            answer.text
        );
    }

    /// Hangs up as the user does.
    pub fn hangup(&self, call: &str) {
        self.command(call, "hangup", &json!({"origin": "user"}));
    }

    /// The verdict object of a call.
    #[must_use]
    pub fn why(&self, call: &str) -> Value {
        let answer = self.get(&format!("/v1/calls/{call}/why"));
        assert_eq!(answer.status, 200, "why: {}", answer.text);
        answer.body
    }

    /// All calls, or those of `?state=live`.
    #[must_use]
    pub fn calls(&self, live: bool) -> Vec<Value> {
        let answer = self.get(if live { "/v1/calls?state=live" } else { "/v1/calls" });
        assert_eq!(answer.status, 200, "calls: {}", answer.text);
        let list = answer.body.as_array().or_else(|| answer.body["calls"].as_array());
        list.unwrap_or_else(|| panic!("not a list of calls: {}", answer.text)).clone()
    }

    /// Whether the daemon says that it is well.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.try_get("/healthz").is_ok_and(|answer| answer.status == 200)
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let status = response.status().as_u16();
    let text = response.body_mut().with_config().limit(256 * 1024 * 1024).read_to_string()?;
    Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null), text })
}
