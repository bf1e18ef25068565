use proptest::prelude::*;

use super::*;

fn valid(text: &str) -> Result<()> {
    let mut walk = JsonWalk::new(text.as_bytes())?;
    walk.skip()?;
    walk.end()
}

#[test]
fn strings_come_back_with_their_escapes_read() {
    let mut walk = JsonWalk::new(br#" { "a\n\u00e9\ud83d\ude00\/" : [1.5e-3, "", null ] } "#).unwrap();
    walk.object().unwrap();
    assert_eq!(walk.field().unwrap().unwrap(), "a\né😀/");
    walk.list().unwrap();
    assert!(walk.item().unwrap());
    assert_eq!(walk.number().unwrap(), "1.5e-3");
    assert!(walk.item().unwrap());
    assert!(matches!(walk.text().unwrap(), Cow::Borrowed("")));
    assert!(walk.item().unwrap() && walk.null().unwrap() && !walk.item().unwrap());
    assert_eq!(walk.field().unwrap(), None);
    walk.end().unwrap();
}

#[test]
fn what_is_no_json_is_refused_where_it_stops_being_json() {
    for text in [
        "",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        "-",
        "1e",
        "+1",
        ".5",
        "tru",
        "nul",
        "\"",
        "\"\\x\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\u12\"",
        "\"\u{1}\"",
        "1 1",
        "\"\\udc00\"",
    ] {
        assert!(valid(text).is_err(), "{text:?} was taken");
    }
    assert_eq!(valid("[1,x]").unwrap_err().to_string(), "a value is expected at byte 3");
    assert!(JsonWalk::new(b"[\"\xff\"]").unwrap_err().to_string().contains("UTF-8 at byte 2"));
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    valid(&nested(DEPTH_MAX)).unwrap();
    assert!(valid(&nested(DEPTH_MAX + 1)).unwrap_err().to_string().contains("deeper"));
    assert!(valid(&"[".repeat(1_000_000)).is_err());
}

proptest! {
    /// serde_json and the walk agree on what is JSON.
    #[test]
    fn agrees_with_serde(text in "[\\[\\]{}:,\"0-9a-fnulltrue\\\\. \\-e+]{0,24}") {
        let serde = serde_json::from_str::<serde_json::Value>(&text);
        // Beyond a float's range serde refuses a number that is well written.
        if !serde.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
            prop_assert_eq!(valid(&text).is_ok(), serde.is_ok(), "{}", text);
        }
    }

    #[test]
    fn strings_agree_with_serde(text in any::<String>()) {
        let written = serde_json::to_string(&text).unwrap();
        let mut walk = JsonWalk::new(written.as_bytes()).unwrap();
        prop_assert_eq!(walk.text().unwrap(), text);
    }
}
