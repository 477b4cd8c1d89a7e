//! Reading a running callboxd over HTTP: `--url`.
//!
//! Every question of the store's live protocol is one `POST /v1/journal`; what comes back is the engine's answer, as its
//! socket would give it to a reader beside it. So every command reads an engine elsewhere as it reads one here.
//!
//! Questions have a connection of their own and go straight there: no redirects, no proxies, because the token must not go
//! anywhere else. Nothing that the other end sends is trusted.

mod address;
mod refusal;
mod token;

use std::io::{self, Read};
use std::time::Duration;

use callbox_store::live::{Connect, LiveReader};

use self::address::Address;
use self::refusal::Refusal;
use self::token::Token;
use crate::cli::Common;
use crate::failure::Failure;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long nothing may come. Whoever follows hears something every second; the rest is as fast as the engine reads.
const SILENCE: Duration = Duration::from_secs(60);

/// The most bytes of an answer's head.
const MAX_HEAD: usize = 16 * 1024;

/// An engine and how to reach it.
#[derive(Debug)]
struct Engine {
    agent: ureq::Agent,
    address: Address,
    token: Option<Token>,
}

/// The engine at `url`. Asks once, so that whatever is wrong with it is told before anything else.
pub fn open(url: &str, common: &Common) -> Result<LiveReader, Failure> {
    let address = Address::parse(url)?;
    let token = common.url_token_file.as_deref().map(Token::read).transpose()?;
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .max_idle_connections(0)
        .max_response_header_size(MAX_HEAD)
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .timeout_per_write(Some(SILENCE))
        .user_agent(concat!("callbox/", env!("CARGO_PKG_VERSION")));
    let engine = Engine { agent: config.build().into(), address, token };
    let shown = engine.address.to_string();
    LiveReader::open(engine).map_err(|error| refusal::told(&shown, error))
}

impl Connect for Engine {
    fn ask(&self, question: &[u8]) -> io::Result<Box<dyn Read + Send>> {
        let mut request = self.agent.post(self.address.journal()).content_type("application/octet-stream");
        if let Some(token) = &self.token {
            request = request.header("authorization", token.header());
        }
        let response = request.send(question).map_err(Refusal::unreachable)?;
        if response.status() == 200 {
            return Ok(Box::new(response.into_body().into_reader()));
        }
        Err(Refusal::of(response, self.token.is_some()).into())
    }
}
