use tracepact_base::{SpanId, TraceId};

use super::*;

fn span() -> Span {
    Span::new(TraceId::new(1).unwrap(), SpanId::new(2).unwrap())
}

fn tagged(key: &str, value: &str) -> Vec<Span> {
    let mut span = span();
    span.attributes = vec![(key.into(), Value::String(value.into()))];
    vec![span]
}

/// What stands under the only key after `redaction`.
fn left(redaction: &Redaction, key: &str, value: &str) -> Option<String> {
    let mut spans = tagged(key, value);
    redaction.apply(&mut spans);
    spans[0].attribute(key).map(|value| value.text().into_owned())
}

#[test]
fn default_keys_and_near_misses() {
    let redaction = Redaction::default();
    for key in ["authorization", "http.request.header.Set-Cookie", "db.password", "access_token", "X-API-Key"]
    {
        assert!(redaction.hides(key), "{key}");
    }
    for key in ["http.route", "gen_ai.usage.tokens", "order.id", "authorization.kind", ""] {
        assert!(!redaction.hides(key), "{key}");
    }
    let open = Redaction::new(["*pin*", "user*", "exact"]);
    for key in ["shopping", "PIN", "username", "Exact"] {
        assert!(open.hides(key), "{key}");
    }
    assert!(!open.hides("inexact") && !open.hides("superuser"));
}

#[test]
fn every_level_is_redacted_and_sharing_is_kept() {
    let secret: Attributes = vec![("token".into(), Value::String("s".into()))];
    let resource = Arc::new(Resource { attributes: secret.clone(), ..Resource::default() });
    let mut span = span();
    span.attributes = vec![("body".into(), Value::Map(secret))];
    span.resource = resource;
    let mut spans = vec![span.clone(), span];
    assert_eq!(Redaction::default().apply(&mut spans), 3);
    assert!(!format!("{spans:?}").contains("\"s\""));
    assert!(Arc::ptr_eq(&spans[0].resource, &spans[1].resource));
    assert_eq!(Redaction::default().apply(&mut spans), 0);
}

#[test]
fn what_looks_like_a_secret_is_hidden_whatever_its_key() {
    let redaction = Redaction::default();
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl";
    for (value, kept) in [
        ("got Bearer abcdefgh12345 from client".to_owned(), "got Bearer *** from client"),
        (format!("session {jwt};"), "session ***;"),
        ("AKIAIOSFODNN7EXAMPLE".to_owned(), "***"),
        (format!("ghp_{}", "a1".repeat(18)), "***"),
        ("xoxb-1234567890-abc".to_owned(), "***"),
        ("/pay?id=7&token=abc%2F1&x=1".to_owned(), "/pay?id=7&token=***&x=1"),
        ("postgres://app:hunter2@db:5432/shop".to_owned(), "postgres://app:***@db:5432/shop"),
        (
            "-----BEGIN RSA PRIVATE KEY-----MIIE-----END".to_owned(),
            "-----BEGIN RSA PRIVATE KEY-----***-----END",
        ),
    ] {
        assert_eq!(left(&redaction, "note", &value).as_deref(), Some(kept));
        assert!(redaction.values_in(value.as_bytes()), "{value}");
    }
    for value in ["bearer of news", "eyJust a word", "/pay?id=7", "mail me@example.com", "http://host:80/x"] {
        assert_eq!(left(&redaction, "note", value).as_deref(), Some(value));
    }
    let mut failed = vec![Span { name: "GET /?password=abc".into(), ..span() }];
    failed[0].status.message = "refused Bearer abcdefgh12345".into();
    assert_eq!(redaction.apply(&mut failed), 2);
    assert_eq!((&*failed[0].name, &*failed[0].status.message), ("GET /?password=***", "refused Bearer ***"));
}

#[test]
fn a_body_without_a_needle_holds_no_match_and_escapes_may_hide_one() {
    let redaction = Redaction::default();
    assert!(!redaction.values_in(br#"[{"traceId":"1","id":"2","tags":{"http.url":"http://a/b"}}]"#));
    assert!(redaction.values_in(br#"{"a":"\u0062earer abcdefgh12345"}"#));
    assert!(Redaction::off().with_values(["x"]).unwrap().values_in(b""));
    assert!(!Redaction::off().values_in(b"Bearer abcdefgh12345"));
}

#[test]
fn secrets_are_masked_dropped_hashed_or_cut_as_configured() {
    let with = |action| Redaction::default().with_action(action);
    assert_eq!(left(&with(Action::Drop), "password", "abc"), None);
    assert_eq!(left(&with(Action::Drop), "note", "Bearer abcdefgh1 x").as_deref(), Some("Bearer  x"));
    assert_eq!(left(&with(Action::Truncate { chars: 2 }), "password", "äöü").as_deref(), Some("äö***"));
    assert_eq!(left(&with(Action::Truncate { chars: 3 }), "password", "äöü").as_deref(), Some("***"));
    let hash = with(Action::Hash(HashKey::new(b"key")));
    // RFC 2104 over SHA-256: `printf %s abc | openssl dgst -sha256 -hmac key`.
    assert_eq!(left(&hash, "password", "abc").as_deref(), Some("hash:9c196e32dc0175f8"));
    assert_ne!(
        left(&hash, "password", "abc"),
        left(&with(Action::Hash(HashKey::new(b"other"))), "password", "abc")
    );
    for action in
        [Action::Mask, Action::Truncate { chars: 2 }, Action::Hash(HashKey::new(b"key")), Action::Drop]
    {
        let redaction = with(action);
        for (key, value) in [("password", "abcdef"), ("note", "Bearer abcdefgh12345")] {
            let mut spans = tagged(key, value);
            assert_eq!(redaction.apply(&mut spans), 1, "{redaction:?}");
            assert_eq!(redaction.apply(&mut spans), 0, "{spans:?}");
        }
    }
}

#[test]
fn own_patterns_hide_their_group_and_broken_ones_are_named() {
    let own = Redaction::off().with_values([r"card (?P<secret>\d{4})\d*"]).unwrap();
    assert_eq!(left(&own, "note", "card 41111").as_deref(), Some("card ***1"));
    let error = Redaction::off().with_values(["(unclosed"]).unwrap_err();
    assert!(error.to_string().contains("(unclosed"), "{error}");
    assert!(Redaction::off().with_values([r"\w{5000}{5000}"]).is_err());
}

#[test]
fn bytes_that_are_no_message_lose_what_stands_behind_a_key() {
    let redaction = Redaction::default();
    let hidden = |bytes: &[u8]| {
        let (bytes, places) = redaction.bytes(bytes);
        (String::from_utf8_lossy(&bytes).into_owned(), places)
    };
    assert_eq!(
        hidden(br#"[{"tags":{"db.Password": "hunter2 x","a":"b"}"#),
        (r#"[{"tags":{"db.Password": "***","a":"b"}"#.to_owned(), 1)
    );
    let proto = b"\x5a\x13\x0a\x08password\x12\x07hunter2\x5a\x03\x0a\x01a";
    let (text, places) = hidden(proto);
    assert!(places == 1 && !text.contains("hunter2"), "{text:?}");
    let (text, _) = hidden(b"Authorization: Bearer abcdefgh12345");
    assert!(!text.contains("abcdefgh"), "{text}");
    assert_eq!(hidden(b"tokens: 7").1, 0);
    assert_eq!(hidden(b"password").1, 0);
}

#[test]
fn the_default_patterns_compile_and_their_needles_occur_in_what_they_match() {
    assert_eq!(ValuePatterns::defaults().is_empty(), DEFAULT_VALUES.is_empty());
}
