//! Who may use the control API.
//!
//! With a token: whoever presents it. Without one the API listens on loopback only, where every local program may use it;
//! web pages of others may not, though the browser that shows them runs on this machine too. Two checks keep them out:
//! an Origin other than the Host addressed (a page that posts across sites), and a Host that is a foreign name (a name
//! rebound to 127.0.0.1).

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::error::ApiError;
use super::token::Token;

/// The token, if one is wanted.
#[derive(Debug, Clone, Default)]
pub struct Guard(pub Option<Token>);

/// Lets a request pass or answers it with 401 or 403. `/healthz` is open to probes.
///
/// # Errors
/// The refusal.
pub async fn check(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.path() != "/healthz" {
        let guard = request.app_data::<web::Data<Guard>>();
        match guard.and_then(|guard| guard.0.as_ref()) {
            Some(token) => {
                let presented =
                    text(&request, &AUTHORIZATION).is_some_and(|value| token.is_presented_by(value));
                presented.then_some(()).ok_or_else(ApiError::unauthorized)?;
            }
            None => {
                let (host, origin) = (text(&request, &HOST), text(&request, &ORIGIN));
                is_local(host, origin).then_some(()).ok_or_else(ApiError::foreign)?;
            }
        }
    }
    next.call(request).await
}

fn text<'a>(request: &'a ServiceRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap_or("?"))
}

/// Whether Host is an address or localhost, and Origin, if any, the same place.
fn is_local(host: Option<&str>, origin: Option<&str>) -> bool {
    let Some(host) = host else { return origin.is_none() };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let local = bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok();
    local && origin.is_none_or(|origin| origin.split_once("://").is_some_and(|(_, at)| at == host))
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn local_programs_pass_and_foreign_pages_do_not() {
        for (host, origin, passes) in [
            (Some("127.0.0.1:8080"), None, true),
            (Some("localhost:8080"), None, true),
            (Some("[::1]:8080"), None, true),
            (Some("127.0.0.1"), None, true),
            (None, None, true),
            (Some("127.0.0.1:8080"), Some("http://127.0.0.1:8080"), true),
            (Some("127.0.0.1:8080"), Some("http://127.0.0.1:9090"), false),
            (Some("127.0.0.1:8080"), Some("https://elsewhere.example"), false),
            (Some("127.0.0.1:8080"), Some("null"), false),
            (Some("rebound.example:8080"), None, false),
            (Some("rebound.example:8080"), Some("http://rebound.example:8080"), false),
        ] {
            assert_eq!(is_local(host, origin), passes, "{host:?} {origin:?}");
        }
    }
}
