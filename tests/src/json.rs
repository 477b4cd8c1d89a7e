//! Comparing JSON documents with what a test expects of them.

use serde_json::Value;

/// Where `actual` lacks what `expected` asks for: objects are compared member by member (more members are fine), arrays
/// must hold, for each expected element, one that fits (more elements are fine), everything else must be equal.
/// Each line names the path, what was expected and what is there.
#[must_use]
pub fn lacks(expected: &Value, actual: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", expected, actual, &mut found);
    found
}

fn compare(path: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, value) in wanted {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&inner, value, there.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(wanted), Value::Array(there)) => {
            for (index, value) in wanted.iter().enumerate() {
                if !there.iter().any(|element| lacks(value, element).is_empty()) {
                    found.push(format!("{path}[{index}]: expected one like {value}, there is {actual}"));
                }
            }
        }
        _ if expected == actual => {}
        _ => found.push(format!("{path}: expected {expected}, there is {actual}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::lacks;

    #[test]
    fn a_part_of_the_document_is_enough_and_each_difference_is_named() {
        let actual = json!({"cause": "busy", "sip": {"status": 486, "reasons": [{"cause": 17}]}, "more": 1});
        assert!(lacks(&json!({"cause": "busy", "sip": {"reasons": [{"cause": 17}]}}), &actual).is_empty());
        let differences = lacks(&json!({"cause": "declined", "sip": {"status": 603}}), &actual);
        assert_eq!(differences.len(), 2, "{differences:?}");
    }

    #[test]
    fn an_expected_null_means_absent_or_null() {
        assert!(lacks(&json!({"underlying": null}), &json!({})).is_empty());
        assert!(!lacks(&json!({"underlying": null}), &json!({"underlying": {"cause": "busy"}})).is_empty());
    }
}
