//! Upcasts: how commits of earlier schema versions become commits of today's.
//!
//! A commit on disk is never rewritten. When the schema changes in a way that defaults can't bridge, the old shape is
//! lifted on reading, one version at a time, on the self-describing tree of the bytes; so each upcast is written once,
//! against the version that follows it, and never touched again.

use rmpv::Value;

use super::codec::CodecError;

/// Lifts a commit by one version.
pub(super) type Upcast = fn(Value) -> Result<Value, CodecError>;

/// `UPCASTS[n]` lifts from version `n + 1` to `n + 2`. Empty: there is only version 1 so far.
pub(super) const UPCASTS: &[Upcast] = &[];

/// Lifts the MessagePack `body` of a commit of version `from` through all of `upcasts` that follow.
///
/// # Errors
/// [`CodecError::Malformed`] if the bytes are no MessagePack or an upcast does not find what its version must have.
pub(super) fn lift(from: u16, mut body: &[u8], upcasts: &[Upcast]) -> Result<Value, CodecError> {
    let mut value =
        rmpv::decode::read_value(&mut body).map_err(|error| CodecError::Malformed(error.to_string()))?;
    for upcast in upcasts.iter().skip(usize::from(from).saturating_sub(1)) {
        value = upcast(value)?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 2 of an imagined schema calls `who` what version 1 called `name`.
    fn rename(value: Value) -> Result<Value, CodecError> {
        let Value::Map(fields) = value else { return Err(CodecError::Malformed("no map".into())) };
        let renamed = fields.into_iter().map(|(key, value)| match key.as_str() {
            Some("name") => (Value::from("who"), value),
            Some(_) | None => (key, value),
        });
        Ok(Value::Map(renamed.collect()))
    }

    /// Version 3 adds a greeting.
    fn greet(value: Value) -> Result<Value, CodecError> {
        let Value::Map(mut fields) = value else { return Err(CodecError::Malformed("no map".into())) };
        fields.push((Value::from("greeting"), Value::from("hello")));
        Ok(Value::Map(fields))
    }

    #[test]
    fn each_version_is_lifted_through_all_that_follow() {
        let mut body = Vec::new();
        rmpv::encode::write_value(&mut body, &Value::Map(vec![("name".into(), "x".into())])).unwrap();
        let chain: &[Upcast] = &[rename, greet];
        let first = lift(1, &body, chain).unwrap();
        assert_eq!(first, Value::Map(vec![("who".into(), "x".into()), ("greeting".into(), "hello".into())]));
        let second = lift(2, &body, chain).unwrap();
        assert_eq!(
            second,
            Value::Map(vec![("name".into(), "x".into()), ("greeting".into(), "hello".into())])
        );
        assert!(lift(1, b"\xc1", chain).is_err());
    }
}
