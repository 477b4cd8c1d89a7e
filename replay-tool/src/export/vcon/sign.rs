//! Signed vCons: JWS, general JSON serialisation (RFC 7515 §7.2.1), Ed25519 (RFC 8037 §3.1).

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Signs documents.
pub struct Signer {
    key: SigningKey,
    /// Base64 of each certificate, the key's own first.
    certificates: Vec<String>,
}

impl Signer {
    /// With a private key in PEM (PKCS #8, RFC 8410) and perhaps its certificates, also in PEM. The draft wants
    /// certificates in every signature; a bare key is named by its RFC 7638 thumbprint instead.
    pub fn read(key: &Path, certificates: Option<&Path>) -> Result<Self, Failure> {
        let pem = read(key)?;
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(|error| {
            Failure::new(ExitCode::Usage, "sign_key", format!("{} is no Ed25519 key: {error}", key.display()))
                .hint("make one with `openssl genpkey -algorithm ed25519 -out FILE`")
        })?;
        let certificates = certificates.map(certificates_in).transpose()?.unwrap_or_default();
        Ok(Self { key, certificates })
    }

    /// The document in its signed form.
    pub fn sign(&self, uuid: &str, document: &[u8]) -> Value {
        let protected = json!({"alg": "EdDSA", "kid": self.thumbprint()});
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        let payload = URL_SAFE_NO_PAD.encode(document);
        let signature = self.key.sign(format!("{protected}.{payload}").as_bytes());
        let mut header = json!({"uuid": uuid, "jwk": self.jwk()});
        if let Some(fields) = header.as_object_mut().filter(|_| !self.certificates.is_empty()) {
            fields.insert("x5c".into(), json!(self.certificates));
        }
        json!({
            "payload": payload,
            "signatures": [{
                "protected": protected,
                "header": header,
                "signature": URL_SAFE_NO_PAD.encode(signature.to_bytes()),
            }],
        })
    }

    /// The public key (RFC 8037 §2). Its members are in the order that a thumbprint wants.
    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes());
        json!({"crv": "Ed25519", "kty": "OKP", "x": x})
    }

    fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.jwk().to_string()))
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            ExitCode::Usage,
            "file_not_readable",
            format!("{} can't be read: {error}", path.display()),
        )
        .hint("check the path and its permissions")
    })
}

/// `x5c` wants each certificate's DER in plain Base64, which is what PEM holds between its lines.
fn certificates_in(path: &Path) -> Result<Vec<String>, Failure> {
    let pem = read(path)?;
    let mut certificates = Vec::new();
    for block in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (base64, _) = block.split_once("-----END CERTIFICATE-----").unwrap_or_default();
        certificates.push(base64.split_whitespace().collect::<String>());
    }
    if certificates.iter().all(String::is_empty) {
        let failure =
            Failure::new(ExitCode::Usage, "sign_cert", format!("{} holds no certificate", path.display()));
        return Err(failure.hint("it must be PEM, the key's own certificate first"));
    }
    Ok(certificates)
}
