//! Addresses: SIP URIs (RFC 3261 §19.1), tel URIs (RFC 3966), device names (`urn:uuid:`).

use callbox_sip::wire::grammar::unescape;

use super::Scope;
use super::text::{MAX_LOOK, Mode, digits_of, host_length};

const SCHEMES: [&str; 5] = ["sips:", "sip:", "tel:", "urn:uuid:", "mailto:"];

fn scheme(text: &str) -> Option<&'static str> {
    let begins =
        |scheme: &&str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.into_iter().find(begins)
}

/// Whether a text begins with an address.
pub fn starts(text: &str) -> bool {
    scheme(text).is_some()
}

impl Scope<'_> {
    /// Rewrites scheme, user and host of the address that `text` begins with; returns how many bytes that is. Its port
    /// and parameters are left to the caller.
    pub fn uri(&mut self, text: &str, out: &mut String) -> usize {
        let Some(scheme) = scheme(text) else { return 0 };
        let (written, rest) = text.split_at_checked(scheme.len()).unwrap_or_default();
        out.push_str(written);
        scheme.len()
            + match scheme {
                "tel:" => self.subscriber(rest, out),
                "urn:uuid:" => self.device(rest, out),
                _ => self.user_and_host(rest, out),
            }
    }

    fn subscriber(&mut self, rest: &str, out: &mut String) -> usize {
        let length = rest.find(|char: char| !(char.is_ascii_hexdigit() || "-.()+*#%".contains(char)));
        let length = length.unwrap_or(rest.len());
        self.user(rest.get(..length).unwrap_or_default(), out);
        length
    }

    fn device(&mut self, rest: &str, out: &mut String) -> usize {
        let length = rest.find(|char: char| !(char.is_ascii_hexdigit() || char == '-')).unwrap_or(rest.len());
        let id = rest.get(..length).unwrap_or_default();
        if self.all {
            out.push_str(&self.pseudonyms.device(id));
        } else {
            // Numbers do not look like this; a run of digits in here is chance, but it must not be a number's.
            let id = self.text(id, Mode::Token);
            out.push_str(&id);
        }
        length
    }

    fn user_and_host(&mut self, rest: &str, out: &mut String) -> usize {
        let ends = |char: char| char.is_whitespace() || "<>\",@".contains(char);
        let end = rest.char_indices().take(MAX_LOOK).find(|(_, char)| ends(*char));
        let user = end.filter(|(_, char)| *char == '@').map(|(at, _)| at);
        let mut at = 0;
        if let Some(user) = user {
            self.user_info(rest.get(..user).unwrap_or_default(), out);
            out.push('@');
            at = user + 1;
        }
        let rest = rest.get(at..).unwrap_or_default();
        let length = host_length(rest);
        let host = self.host(rest.get(..length).unwrap_or_default());
        out.push_str(&host);
        at + length
    }

    /// `user;params:password`. A password is nobody's business.
    fn user_info(&mut self, info: &str, out: &mut String) {
        let (user, password) = info.split_once(':').map_or((info, false), |(user, _)| (user, true));
        let (user, params) = user.split_once(';').map_or((user, None), |(user, params)| (user, Some(params)));
        self.user(user, out);
        if let Some(params) = params {
            out.push(';');
            let params = self.text(params, Mode::Token);
            out.push_str(&params);
        }
        if password {
            out.push_str(":redacted");
        }
    }

    fn user(&mut self, user: &str, out: &mut String) {
        let decoded = unescape(user);
        if let Some(digits) = digits_of(&decoded) {
            self.known.number(&digits);
            if decoded.starts_with('+') {
                out.push('+');
            }
            out.push_str(&self.pseudonyms.number(&digits));
        } else if self.all && !user.eq_ignore_ascii_case("anonymous") && !user.is_empty() {
            self.known.name(&decoded);
            out.push_str(&self.pseudonyms.user(&decoded));
        } else {
            let user = self.text(user, Mode::Token);
            out.push_str(&user);
        }
    }
}
