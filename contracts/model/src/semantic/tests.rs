use super::*;

fn pact(version: &str, interaction: &str) -> Pact {
    let text = format!(
        r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{interaction}],"metadata":{{"pactSpecification":{{"version":"{version}"}}}}}}"#
    );
    Pact::parse(text.as_bytes()).unwrap()
}

fn http(request: &str, response: &str) -> Pact {
    pact(
        "3.0.0",
        &format!(
            r#"{{"description":"x","request":{{"method":"GET","path":"/x"{request}}},"response":{{"status":200{response}}}}}"#
        ),
    )
}

#[track_caller]
fn is(old: &Pact, new: &Pact, breaking: bool) {
    let found = meanings(Some(old), new).unwrap();
    assert_eq!(found.is_breaking(), breaking, "{}", found.text());
}

#[test]
fn asking_for_more_breaks_and_asking_for_less_does_not() {
    let less = http("", r#","body":{"id":1}"#);
    let more = http("", r#","body":{"id":1,"name":"x"}"#);
    is(&less, &more, true);
    is(&more, &less, false);
    is(&less, &http("", r#","body":{"id":2}"#), true);
    is(&less, &http("", r#","body":{"id":1},"headers":{"Content-Type":"application/json"}"#), true);
    is(
        &http("", ""),
        &pact(
            "3.0.0",
            r#"{"description":"x","request":{"method":"GET","path":"/y"},"response":{"status":200}}"#,
        ),
        true,
    );
    is(
        &http("", ""),
        &pact(
            "3.0.0",
            r#"{"description":"x","request":{"method":"GET","path":"/x"},"response":{"status":404}}"#,
        ),
        true,
    );
    is(&less, &less, false);
    assert!(meanings(Some(&less), &less).unwrap().changes.is_empty());
    assert!(meanings(None, &less).unwrap().is_breaking());
}

#[test]
fn a_looser_matcher_is_compatible_in_an_answer_and_breaking_in_a_question() {
    let exact = http("", r#","body":{"id":1}"#);
    let typed = http(
        "",
        r#","body":{"id":7},"matchingRules":{"body":{"$.id":{"combine":"AND","matchers":[{"match":"type"}]}}}"#,
    );
    is(&exact, &typed, false);
    is(&typed, &exact, true);
    let body = |more: &str| {
        pact(
            "3.0.0",
            &format!(
                r#"{{"description":"x","request":{{"method":"POST","path":"/x","body":{{"id":1}}{more}}},"response":{{"status":200}}}}"#
            ),
        )
    };
    let rule = r#","matchingRules":{"body":{"$.id":{"combine":"AND","matchers":[{"match":"type"}]}}}"#;
    is(&body(""), &body(rule), true);
    is(&body(rule), &body(""), false);
}

#[test]
fn an_example_is_not_a_demand_under_a_type_matcher() {
    let rule = r#","matchingRules":{"body":{"$.items":{"combine":"AND","matchers":[{"match":"type","min":1}]},"$.items[*].id":{"combine":"AND","matchers":[{"match":"integer"}]}}}"#;
    let with = |items: &str| http("", &format!(r#","body":{{"items":{items}}}{rule}"#));
    is(&with(r#"[{"id":1}]"#), &with(r#"[{"id":22}]"#), false);
    is(&with(r#"[{"id":1}]"#), &with(r#"[{"id":1},{"id":2}]"#), false);
    is(&with(r#"[{"id":1}]"#), &with(r#"[{"id":1,"name":"x"}]"#), true);
    is(&with(r#"[{"id":1}]"#), &with(r#"{"id":1}"#), true);
}

#[test]
fn another_specification_of_the_same_demands_is_no_change() {
    let old = pact(
        "2.0.0",
        r#"{"description":"x","request":{"method":"GET","path":"/x","query":"a=1"},"response":{"status":200,"headers":{"Content-Type":"application/json"},"body":{"id":1},"matchingRules":{"$.body.id":{"match":"type"}}}}"#,
    );
    let new = pact(
        "4.0",
        r#"{"type":"Synchronous/HTTP","description":"x","request":{"method":"GET","path":"/x","query":{"a":["1"]}},"response":{"status":200,"headers":{"Content-Type":["application/json"]},"body":{"content":{"id":1},"contentType":"application/json","encoded":false},"matchingRules":{"body":{"$.id":{"combine":"AND","matchers":[{"match":"type"}]}}}}}"#,
    );
    let found = meanings(Some(&old), &new).unwrap();
    assert!(!found.is_breaking(), "{}", found.text());
}

#[test]
fn a_dropped_message_field_is_compatible_for_the_producer_and_a_new_one_is_not() {
    let message = |body: &str| {
        pact(
            "4.0",
            &format!(
                r#"{{"type":"Asynchronous/Messages","description":"m","contents":{{"content":{body},"contentType":"application/json","encoded":false}},"metadata":{{"topic":"orders"}}}}"#
            ),
        )
    };
    is(&message(r#"{"id":1,"price":2}"#), &message(r#"{"id":1}"#), false);
    is(&message(r#"{"id":1}"#), &message(r#"{"id":1,"price":2}"#), true);
}

#[test]
fn digits_beyond_a_float_are_still_a_change() {
    let big = |n: &str| http("", &format!(r#","body":{{"id":{n}}}"#));
    is(&big("12345678901234567890123"), &big("12345678901234567890124"), true);
}

#[test]
fn what_one_consumer_proved_covers_the_next() {
    let kept = http("", r#","body":{"id":1,"name":"x"}"#);
    let asks = |body: &str| {
        pact(
            "3.0.0",
            &format!(
                r#"{{"description":"other words","request":{{"method":"GET","path":"/x"}},"response":{{"status":200,"body":{body}}}}}"#
            ),
        )
    };
    let of = |pact: &Pact| coverage(std::slice::from_ref(&kept), pact).unwrap()[0].1;
    assert_eq!(of(&asks(r#"{"id":1}"#)), Coverage::Kept);
    assert_eq!(of(&asks(r#"{"id":1,"price":1}"#)), Coverage::Unknown);
}
