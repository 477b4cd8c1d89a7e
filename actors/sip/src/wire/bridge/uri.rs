//! URIs.

use rsip::common::uri::{Auth, Domain, Host, HostWithPort, Param, Scheme};

use super::super::grammar::{Params, SipUri, Uri};
use super::super::{Method, SyntaxError};
use super::BridgeError;

/// A URI as rsip's value. IPv6 hosts and the insides of `tel:` and `urn:` become a `Domain` as they are written,
/// brackets and plus signs included, so that printing gives back the text.
///
/// # Errors
/// The text is no URI, or has `?headers`, which rsip would lose.
pub fn uri_to_rsip(text: &str) -> Result<rsip::Uri, BridgeError> {
    match Uri::parse(text)? {
        Uri::Sip(uri) => sip_uri(&uri),
        Uri::Opaque { scheme, rest } => Ok(opaque_uri(scheme, rest)),
    }
}

fn sip_uri(uri: &SipUri<'_>) -> Result<rsip::Uri, BridgeError> {
    if uri.headers.is_some() {
        return Err(BridgeError::UriHeaders);
    }
    let scheme = if uri.scheme.eq_ignore_ascii_case("sips") { Scheme::Sips } else { Scheme::Sip };
    Ok(rsip::Uri {
        scheme: Some(scheme),
        auth: uri.user.map(|user| Auth { user: user.into(), password: uri.password.map(Into::into) }),
        host_with_port: HostWithPort { host: host(uri.host), port: uri.port.map(Into::into) },
        params: params(&uri.params),
        headers: Vec::new(),
    })
}

/// rsip prints an IPv6 address without brackets, so only IPv4 goes in as an address.
fn host(text: &str) -> Host {
    match text.parse() {
        Ok(address) => Host::IpAddr(std::net::IpAddr::V4(address)),
        Err(_) => Host::Domain(Domain::from(text)),
    }
}

fn opaque_uri(scheme: &str, rest: &str) -> rsip::Uri {
    let is_tel = scheme.eq_ignore_ascii_case("tel");
    let (number, tail) = rest.split_once(';').filter(|_| is_tel).unwrap_or((rest, ""));
    rsip::Uri {
        scheme: Some(Scheme::Other(scheme.into())),
        auth: None,
        host_with_port: HostWithPort { host: Host::Domain(Domain::from(number)), port: None },
        params: params(&Params::lenient(tail)),
        headers: Vec::new(),
    }
}

fn params(params: &Params<'_>) -> Vec<Param> {
    params
        .iter()
        .filter(|param| !param.name.is_empty())
        .map(|param| to_param(param.name, param.value))
        .collect()
}

/// A parameter under rsip's word for it, if that word holds it; as written otherwise (`method=FOO`, `transport=XYZ`).
fn to_param(name: &str, value: Option<&str>) -> Param {
    let other = || Param::Other(name.into(), value.map(Into::into));
    // rsip folds the case of methods, which are case-sensitive.
    if name.eq_ignore_ascii_case("method") && value.and_then(Method::known).is_none() {
        return other();
    }
    Param::try_from((name, value)).unwrap_or_else(|_| other())
}

/// rsip's URI as text.
///
/// # Errors
/// What it prints is no URI.
pub fn uri_from_rsip(uri: &rsip::Uri) -> Result<String, SyntaxError> {
    let scheme = uri.scheme.as_ref().map_or_else(|| "sip".to_owned(), ToString::to_string);
    let auth = uri.auth.as_ref().map(|auth| format!("{auth}@")).unwrap_or_default();
    let host = match &uri.host_with_port.host {
        Host::IpAddr(std::net::IpAddr::V6(address)) => format!("[{address}]"),
        host @ (Host::IpAddr(_) | Host::Domain(_)) => host.to_string(),
    };
    let port = uri.host_with_port.port.map(|port| format!(":{port}")).unwrap_or_default();
    let params: String = uri.params.iter().map(ToString::to_string).collect();
    let text = format!("{scheme}:{auth}{host}{port}{params}");
    Uri::parse(&text)?;
    Ok(text)
}
