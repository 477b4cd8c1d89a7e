//! The token that a callboxd wants. It comes from a file: a command line is seen by everybody on the machine.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The most bytes of a token's file that are looked at.
const MAX_FILE: u64 = 4 * 1024;

/// A bearer token (RFC 6750). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Reads the first line of a file, as callboxd does.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
        read.map_err(|error| {
            let message = format!("the token file {} can't be read: {error}", path.display());
            Failure::new(ExitCode::Usage, "token_not_read", message).hint(HINT)
        })?;
        Self::parse(&text).ok_or_else(|| {
            let message = format!("the first line of {} is no token", path.display());
            Failure::new(ExitCode::Usage, "token_not_read", message).hint(HINT)
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let token = text.lines().next()?.trim();
        let fits = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(token.to_owned()))
    }

    /// The value of the header Authorization.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

const HINT: &str =
    "its first line is the token, as in the file that callboxd was given with --http-token-file";

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_token_and_is_never_shown() {
        let token = Token::parse(" correct-horse \nrest").unwrap();
        assert_eq!(token.header(), "Bearer correct-horse");
        assert!(!format!("{token:?}").contains("horse"));
        for wrong in ["", "\n", "two words", "caf\u{e9}", "a\u{1}b"] {
            assert_eq!(Token::parse(wrong), None, "{wrong:?}");
        }
    }
}
