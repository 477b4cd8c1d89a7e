//! What may stand behind `--url`.

use std::fmt;

use ureq::http::Uri;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The address of a callboxd: scheme, host, port, and a path if something stands in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads `http://HOST:PORT`.
    pub fn parse(url: &str) -> Result<Self, Failure> {
        let uri: Uri = url.parse().map_err(|_| bad("it is no URL"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad("it is no whole URL"));
        };
        match scheme {
            "http" => {}
            "https" => return Err(tls()),
            _ => return Err(bad("its scheme is not http")),
        }
        if authority.as_str().contains('@') {
            return Err(bad("a password in it would be seen by everybody on this machine")
                .hint("write the token into a file and give --url-token-file FILE"));
        }
        let after_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let no_port = !after_host.is_empty() && authority.port_u16().is_none();
        if authority.host().is_empty() || no_port || uri.query().is_some() {
            return Err(bad("it is not the address of an engine alone"));
        }
        Ok(Self(format!("http://{authority}{}", uri.path().trim_end_matches('/'))))
    }

    /// Where the journal is asked.
    pub fn journal(&self) -> String {
        format!("{self}/v1/journal")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The URL itself is not repeated: a password may be in it.
fn bad(why: &str) -> Failure {
    Failure::new(ExitCode::Usage, "bad_url", format!("--url can't be used: {why}"))
        .hint("it reads like http://127.0.0.1:8080, the address that callboxd was given with --http")
}

fn tls() -> Failure {
    let message = "TLS is not in this version: an https URL can't be read";
    Failure::new(ExitCode::Usage, "tls_not_supported", message)
        .hint("go through a tunnel: `ssh -L 8080:127.0.0.1:8080 HOST`, then --url http://127.0.0.1:8080")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_engine_has_an_address_and_nothing_more() {
        for (url, journal) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/journal"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/v1/journal"),
            ("HTTP://localhost", "http://localhost/v1/journal"),
            ("http://[::1]:8080", "http://[::1]:8080/v1/journal"),
            ("http://gateway.example/callbox/", "http://gateway.example/callbox/v1/journal"),
        ] {
            assert_eq!(Address::parse(url).unwrap().journal(), journal, "{url}");
        }
        for (url, code) in [
            ("", "bad_url"),
            ("127.0.0.1:8080", "bad_url"),
            ("/v1/journal", "bad_url"),
            ("ftp://h", "bad_url"),
            ("http://", "bad_url"),
            ("http://h:8080?x=1", "bad_url"),
            ("http://h:port", "bad_url"),
            ("http://h:99999", "bad_url"),
            ("http://h:", "bad_url"),
            ("http://user:secret@h:8080", "bad_url"),
            ("https://h:8080", "tls_not_supported"),
        ] {
            let failure = Address::parse(url).unwrap_err();
            assert_eq!((failure.code, failure.exit), (code, ExitCode::Usage), "{url}");
            assert!(failure.hint.is_some() && !failure.json().contains("secret"), "{failure:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_refused(url in "(http://)?[a-z0-9:/?@#%\\[\\]. \\x00-\\x1f]{0,40}") {
            if let Ok(address) = Address::parse(&url) {
                prop_assert!(address.journal().starts_with("http://") && !address.journal().contains('@'));
            }
        }
    }
}
