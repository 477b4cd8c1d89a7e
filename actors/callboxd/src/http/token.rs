//! The token that protects the control API, and the mirror's password, which is one too.

use std::fmt;
use std::path::Path;

use crate::failure::Failure;

/// A bearer token (RFC 6750). Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Shorter tokens can be guessed.
const SHORTEST: usize = 8;

impl Token {
    /// Reads the first line of a file.
    ///
    /// # Errors
    /// A usage failure if the file can't be read or its first line is no token.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|e| Failure::usage(format!("the token file {shown} can't be read: {e}")))?;
        let token = text.lines().next().unwrap_or_default().trim();
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::usage(format!("the first line of {shown} is no token"))
                .hint(format!("a token has {SHORTEST} or more printable ASCII characters and no spaces")));
        }
        Ok(Self(token.to_owned()))
    }

    /// Whether an Authorization header presents this token.
    #[must_use]
    pub fn is_presented_by(&self, authorization: &str) -> bool {
        let Some((scheme, presented)) = authorization.split_once(' ') else { return false };
        scheme.eq_ignore_ascii_case("bearer") && self.is(presented.trim().as_bytes())
    }

    /// Whether this is the token. Takes equally long wherever they differ.
    #[must_use]
    pub fn is(&self, presented: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let differences = own
            .iter()
            .zip(presented)
            .fold(own.len() ^ presented.len(), |sum, (a, b)| sum | usize::from(a ^ b));
        differences == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_opens() {
        let token = Token("s3cr3t-token".into());
        assert!(token.is_presented_by("Bearer s3cr3t-token"));
        assert!(token.is_presented_by("bearer  s3cr3t-token "));
        for wrong in
            ["", "Bearer", "Bearer ", "Bearer s3cr3t-tokem", "Bearer s3cr3t-token1", "Basic s3cr3t-token"]
        {
            assert!(!token.is_presented_by(wrong), "{wrong:?}");
        }
        assert!(!format!("{token:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_file_without_a_token_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("token");
        for (text, good) in
            [("", false), ("short\n", false), ("two words here\n", false), ("longenough\nrest", true)]
        {
            std::fs::write(&path, text).expect("written");
            assert_eq!(Token::read(&path).is_ok(), good, "{text:?}");
        }
    }
}
