//! Secrets that contracts carry in headers: shown nowhere but to the verifier that needs them.

/// What stands in a secret's place.
pub const REDACTED: &str = "***";

/// Whether a header (or message metadata) of this name carries a secret: `Authorization`, `Cookie`, and whatever has
/// `token`, `secret`, `password` or `api-key` in its name.
pub fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie" | "set-cookie")
        || ["token", "secret", "password", "api-key", "apikey"].iter().any(|part| name.contains(part))
}

/// A text for people without the credentials in it: what follows `Bearer`, `Basic` or `Digest` is hidden, unless it is a
/// short plain word.
pub fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    // One pass: such texts come from the network and may hold the words a million times.
    while at < text.len() {
        let Some(scheme) = scheme_at(&text.as_bytes()[at..]) else {
            at += 1;
            continue;
        };
        let begin = at + scheme;
        let rest = &text[begin..];
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`,;)]}".contains(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        if word.len() >= PLAIN_WORD_BYTES_MAX || word.chars().any(|c| !c.is_ascii_alphabetic()) {
            out.push_str(&text[copied..begin]);
            out.push_str(REDACTED);
            copied = begin + end;
            at = copied;
        } else {
            at = begin;
        }
    }
    out.push_str(&text[copied..]);
    out
}

/// A word of letters that is shorter is no credential.
const PLAIN_WORD_BYTES_MAX: usize = 8;

/// Length of the scheme that stands here, with the space after it.
fn scheme_at(bytes: &[u8]) -> Option<usize> {
    [&b"bearer "[..], b"basic ", b"digest "]
        .into_iter()
        .find(|scheme| bytes.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
        .map(<[u8]>::len)
}

/// Hides secrets in the test results of a verification: of a header that carries one the whole difference, elsewhere
/// what follows an authentication scheme.
pub fn redact_results(results: &mut serde_json::Value) {
    match results {
        serde_json::Value::Array(items) => items.iter_mut().for_each(redact_results),
        serde_json::Value::Object(fields) => {
            let header = fields.get("attribute").and_then(|a| a.as_str()) == Some("header");
            let secret =
                header && fields.get("identifier").and_then(|i| i.as_str()).is_some_and(is_secret_header);
            for (key, value) in fields.iter_mut() {
                match value {
                    serde_json::Value::String(text)
                        if secret && key != "attribute" && key != "identifier" =>
                    {
                        *text = format!("the values differ ({REDACTED})");
                    }
                    serde_json::Value::String(text) => *text = without_credentials(text),
                    other => redact_results(other),
                }
            }
        }
        serde_json::Value::String(text) => *text = without_credentials(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_hidden_and_the_rest_stays() {
        assert_eq!(
            without_credentials("Expected 'Bearer abc.def' but was \"basic eHg=\", sorry"),
            "Expected 'Bearer ***' but was \"basic ***\", sorry"
        );
        assert_eq!(without_credentials("nothing here, a basic test"), "nothing here, a basic test");
        assert_eq!(without_credentials("ü Bearer ü"), "ü Bearer ***");
        assert_eq!(without_credentials("basic basic eHg="), "basic basic ***");
        assert_eq!(without_credentials("Bearer "), "Bearer ");
    }

    #[test]
    fn results_lose_secrets_only() {
        let mut results = serde_json::json!([{ "mismatches": [
            { "attribute": "header", "identifier": "X-Api-Key", "description": "expected k1 but was k2" },
            { "attribute": "header", "identifier": "Accept", "description": "expected a but was b" },
        ]}]);
        redact_results(&mut results);
        assert_eq!(results[0]["mismatches"][0]["description"], "the values differ (***)");
        assert_eq!(results[0]["mismatches"][1]["description"], "expected a but was b");
    }
}
