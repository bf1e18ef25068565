use proptest::prelude::*;

use super::*;

fn read(text: &str) -> ContractFile {
    ContractFile::from_yaml(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A file with one interaction, `rest` standing in it at six spaces.
fn with(rest: &str) -> String {
    format!("contract: 1\nconsumer: a\nprovider: b\ninteractions:\n  - description: x\n{rest}")
}

#[track_caller]
fn refused(text: &str, line: usize, why: &str) {
    let error = ContractFile::from_yaml(text).unwrap_err();
    assert!(error.line == line && error.reason.contains(why), "{error}\n{text}");
}

#[test]
fn every_part_of_the_form_compiles_to_version_4() {
    let file = read(
        r#"
contract: 1
consumer: orders
provider: products
branch: feat/price
interactions:
  - description: an item is read
    states:
      - item 1 exists
      - {name: stock, params: {of: 1}}
    request:
      method: GET
      path: /items/1
      query: {page: 1, tag: [a, b]}
      headers: {Accept: application/json}
      match: {path: {regex: '/items/\d+'}, query: {page: integer}}
    response:
      status: 200
      headers: {Content-Type: application/json}
      body: {id: 1, price: 9.50, tags: [x]}
      match:
        headers: {Content-Type: {regex: application/json.*}}
        body: {$.id: integer, $.tags: {match: type, min: 1}, $.price: [number, {match: type}]}
  - description: an order was placed
    message:
      topic: orders
      key: order-7
      headers: {ce_type: placed}
      metadata: {retries: 3}
      contents: {id: 7}
      match: {contents: {$.id: type}, key: {regex: 'order-\d+'}, headers: {ce_type: type}}
  - description: a price is asked for
    exchange:
      request: {contents: {id: 1}}
      responses: [{contents: {price: 2}}]
"#,
    );
    assert_eq!(file.consumer_branch.as_deref(), Some("feat/price"));
    let json = Json::parse(
        br#"[
{"type":"Synchronous/HTTP","description":"an item is read","providerStates":[{"name":"item 1 exists"},{"name":"stock","params":{"of":1}}],
 "request":{"method":"GET","path":"/items/1","query":{"page":["1"],"tag":["a","b"]},"headers":{"Accept":["application/json"]},
  "matchingRules":{"path":{"combine":"AND","matchers":[{"match":"regex","regex":"/items/\\d+"}]},"query":{"page":{"combine":"AND","matchers":[{"match":"integer"}]}}}},
 "response":{"status":200,"headers":{"Content-Type":["application/json"]},"body":{"content":{"id":1,"price":9.50,"tags":["x"]},"contentType":"application/json","encoded":false},
  "matchingRules":{"header":{"Content-Type":{"combine":"AND","matchers":[{"match":"regex","regex":"application/json.*"}]}},
   "body":{"$.id":{"combine":"AND","matchers":[{"match":"integer"}]},"$.tags":{"combine":"AND","matchers":[{"match":"type","min":1}]},"$.price":{"combine":"AND","matchers":[{"match":"number"},{"match":"type"}]}}}}},
{"type":"Asynchronous/Messages","description":"an order was placed","contents":{"content":{"id":7},"contentType":"application/json","encoded":false},
 "metadata":{"topic":"orders","key":"order-7","ce_type":"placed","retries":3},
 "matchingRules":{"body":{"$.id":{"combine":"AND","matchers":[{"match":"type"}]}},"metadata":{"key":{"combine":"AND","matchers":[{"match":"regex","regex":"order-\\d+"}]},"ce_type":{"combine":"AND","matchers":[{"match":"type"}]}}}},
{"type":"Synchronous/Messages","description":"a price is asked for","request":{"contents":{"content":{"id":1},"contentType":"application/json","encoded":false}},
 "response":[{"contents":{"content":{"price":2},"contentType":"application/json","encoded":false}}]}]"#,
    )
    .unwrap();
    let expected: Vec<String> = json.items().iter().map(|i| i.write(true)).collect();
    let without = |i: &Json| crate::canonical::without_id(i).write(true);
    let found: Vec<String> = file.pact.interaction_documents().map(without).collect();
    assert_eq!(found, expected);
    assert_eq!(read(&file.to_yaml()).pact.content_id, file.pact.content_id);
    assert_eq!(read(&file.to_yaml()).consumer_branch, file.consumer_branch);
}

#[test]
fn a_pact_of_an_older_specification_is_written_too() {
    let old = br#"{"consumer":{"name":"a"},"provider":{"name":"b"},"interactions":[{"description":"x","providerState":"s",
        "request":{"method":"GET","path":"/x","query":"a=1&a=2"},"response":{"status":200,"body":{"id":1},
        "matchingRules":{"$.body.id":{"match":"type"}}}}],"metadata":{"pactSpecification":{"version":"2.0.0"}}}"#;
    let file = ContractFile::from_json(old).unwrap();
    let text = file.to_yaml();
    assert!(text.contains("\"$.id\": type") || text.contains("$.id: type"), "{text}");
    let found = crate::meanings(Some(&file.pact), &read(&text).pact).unwrap();
    assert!(!found.is_breaking(), "{}\n{text}", found.text());
}

#[test]
fn errors_name_the_line() {
    refused("", 1, "empty");
    refused("contract: 2\n", 1, "contract: 1");
    refused(
        "contract: 1\nconsumer: a\nprovider: b\ninteractions: []\nbrunch: x\n",
        5,
        "unknown key \"brunch\"",
    );
    refused(&with("    requst: {path: /}\n"), 6, "unknown key \"requst\"; did you mean `request`?");
    refused(&with("    stats: [x]\n"), 6, "did you mean `states`?");
    refused(&with("    oops: 1\n"), 6, "known are");
    refused(&with("    requests: {path: /}\n"), 6, "did you mean `request`?");
    refused(&with("    request: {path: /}\n    message: {}\n"), 5, "either a `request`");
    refused(&with("    request:\n      path: /\n      path: /x\n"), 8, "stands twice, first on line 7");
    refused(&with("    request: {path: /}\n    response: {status: ok}\n"), 7, "`status` must be a number");
    refused(&with("    response:\n      body: yes\n"), 7, "means different things");
    refused(&with("    response:\n      body: {code: 012}\n"), 7, "means different things");
    refused(&with("    response:\n      body: !!str 1\n"), 7, "tags are not read");
    refused(&with("    response:\n      match: {body: {$.id: {min: 1}}}\n"), 7, "not a matcher");
    refused(&with("    message: {topic: a, headers: {topic: b}}\n"), 6, "said twice");
    refused("contract: 1\n---\ncontract: 1\n", 2, "second document");
    refused(&with("    response:\n      <<: {status: 200}\n"), 7, "merge keys");
    refused(&with("    response: {status: 200}\n    pact: {description: y}\n"), 7, "said above already");
    refused("contract: 1\nconsumer: a\nprovider: b\ninteractions:\n  - [\n", 6, "");
}

#[test]
fn aliases_are_read_and_bounded() {
    let file =
        read(&with("    request: {path: /, headers: &h {A: b}}\n    response: {status: 200, headers: *h}\n"));
    assert!(file.pact.text().matches(r#""A":["b"]"#).count() == 2);
    let mut bomb = String::from(
        "contract: 1\nconsumer: a\nprovider: b\nmetadata:\n  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n",
    );
    for (from, to) in ["ab", "bc", "cd", "de", "ef", "fg", "gh"].iter().map(|p| p.split_at(1)) {
        bomb.push_str(&format!("  {to}: &{to} [*{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}, *{from}]\n"));
    }
    bomb.push_str("interactions: []\n");
    let error = ContractFile::from_yaml(&bomb).unwrap_err();
    assert!(error.reason.contains("more than 100000 values"), "{error}");
    let error = ContractFile::from_yaml("a: &a [*a]\n").unwrap_err();
    assert!(error.reason.contains("alias") || error.reason.contains("anchor"), "{error}");
}

#[test]
fn depth_and_size_are_bounded() {
    for deep in ["[".repeat(20_000), "- ".repeat(20_000), "{a: ".repeat(20_000)] {
        assert!(ContractFile::from_yaml(&deep).is_err());
    }
    let error = ContractFile::from_yaml(&"# \n".repeat(400_000)).unwrap_err();
    assert!(error.reason.contains("at most"), "{error}");
}

#[test]
fn what_readers_disagree_about_is_quoted_when_written() {
    for odd in [
        "yes", "No", "on", "012", "0x1F", "1_000", ".5", "5.", "+1", ".inf", "-.INF", "~", "", " a", "a ",
        "a: b", "a #b", "- a", "null", "true", "1e5", "\u{85}", "\u{2028}", "\u{feff}", "\u{7f}", "\u{0}",
        "é", "😀", "*a", "&a", "!a", "%a", "@a", "`a", "'a", "\"a", "[a", "{a", "? a", ": a", "---", "...",
        "a\nb", "a\tb", "\\u0022", "*/", "../",
    ] {
        let text = serde_json::to_string(odd).unwrap();
        let pact = format!(
            r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{{"type":"Synchronous/HTTP","description":{text},"request":{{"method":"GET","path":"/"}},"response":{{"status":200,"body":{{"content":{{{text}:{text}}},"contentType":"application/json","encoded":false}}}}}}],"metadata":{{"pactSpecification":{{"version":"4.0"}}}}}}"#
        );
        let Ok(file) = ContractFile::from_json(pact.as_bytes()) else { panic!("{pact}") };
        let yaml = file.to_yaml();
        assert_eq!(read(&yaml).pact.content_id, file.pact.content_id, "{yaml}");
    }
    let long = "x: ".repeat(2_000);
    let pact = format!(
        r#"{{"consumer":{{"name":"a"}},"provider":{{"name":"b"}},"interactions":[{{"type":"Synchronous/HTTP","description":"d","request":{{"method":"GET","path":"/"}},"response":{{"status":200,"body":{{"content":{{"{long}":{{"a":1}},"b":[[{{"{long}":[]}}]]}},"contentType":"application/json","encoded":false}}}}}}],"metadata":{{"pactSpecification":{{"version":"4.0"}}}}}}"#
    );
    let file = ContractFile::from_json(pact.as_bytes()).unwrap();
    assert_eq!(read(&file.to_yaml()).pact.content_id, file.pact.content_id);
}

#[test]
fn a_file_name_never_leaves_its_folder() {
    assert_eq!(file_stem("../../etc/passwd"), "etc-passwd");
    assert_eq!(file_stem("An item is read!"), "an-item-is-read");
    assert_eq!(file_stem("…"), "contract");
    assert!(file_stem(&"a b".repeat(100)).len() <= 80);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 ]{0,12}",
        "\\PC{0,8}",
        any::<String>().prop_map(|s| s.chars().take(12).collect()),
        Just("$.id".to_owned()),
        Just("topic".to_owned()),
        Just("match".to_owned()),
        Just("matchers".to_owned()),
        Just("name".to_owned()),
    ]
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| Json::Number(n.to_string())),
        Just(Json::Number("1.0".into())),
        Just(Json::Number("12345678901234567890".into())),
        Just(Json::Number("-1e-7".into())),
        text().prop_map(Json::String),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array), object(inner),]
    })
}

fn object(values: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    prop::collection::btree_map(text(), values, 0..4).prop_map(|m| Json::Object(m.into_iter().collect()))
}

fn one_of(fields: Vec<(&'static str, BoxedStrategy<Json>)>) -> impl Strategy<Value = Json> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(key, value)| {
            prop::option::weighted(0.7, value).prop_map(move |v| v.map(|v| (key.to_owned(), v)))
        })
        .collect();
    fields.prop_map(|f| Json::Object(f.into_iter().flatten().collect()))
}

fn texts() -> BoxedStrategy<Json> {
    text().prop_map(Json::String).boxed()
}

fn matcher() -> impl Strategy<Value = Json> {
    prop_oneof![
        one_of(vec![("match", texts()), ("regex", texts()), ("min", json().boxed())]),
        one_of(vec![("match", Just(Json::String("regex".into())).boxed()), ("regex", texts())]),
        one_of(vec![("match", texts())]),
        json(),
    ]
}

fn rule() -> BoxedStrategy<Json> {
    let matchers = prop::collection::vec(matcher(), 0..3).prop_map(Json::Array);
    let combine = prop_oneof![Just("AND"), Just("OR")].prop_map(|c| Json::String(c.into()));
    prop_oneof![4 => one_of(vec![("combine", combine.boxed()), ("matchers", matchers.boxed())]), 1 => json()]
        .boxed()
}

fn rules() -> BoxedStrategy<Json> {
    let by_path = || object(rule()).boxed();
    one_of(vec![
        ("path", rule()),
        ("status", rule()),
        ("query", by_path()),
        ("header", by_path()),
        ("body", by_path()),
        ("metadata", by_path()),
        ("other", json().boxed()),
    ])
    .boxed()
}

fn values() -> BoxedStrategy<Json> {
    let list = prop::collection::vec(texts(), 0..3).prop_map(Json::Array);
    prop_oneof![4 => object(list), 1 => json()].boxed()
}

fn body() -> BoxedStrategy<Json> {
    let media = Just(Json::String("application/json".into()));
    let whole = json().prop_map(|content| {
        Json::Object(vec![
            ("content".into(), content),
            ("contentType".into(), Json::String("application/json".into())),
            ("encoded".into(), Json::Bool(false)),
        ])
    });
    prop_oneof![whole, one_of(vec![("content", json().boxed()), ("contentType", media.boxed())]), json()]
        .boxed()
}

fn http_part() -> BoxedStrategy<Json> {
    one_of(vec![
        ("method", texts()),
        ("path", texts()),
        ("status", json().boxed()),
        ("query", values()),
        ("headers", values()),
        ("body", body()),
        ("matchingRules", rules()),
        ("generators", json().boxed()),
        ("x", json().boxed()),
    ])
    .boxed()
}

fn message_part() -> BoxedStrategy<Json> {
    let metadata =
        prop_oneof![object(json()), one_of(vec![("topic", texts()), ("key", texts()), ("h", texts())])];
    one_of(vec![
        ("contents", body()),
        ("metadata", metadata.boxed()),
        ("matchingRules", rules()),
        ("generators", json().boxed()),
        ("x", json().boxed()),
    ])
    .boxed()
}

fn interaction() -> impl Strategy<Value = Json> {
    let states = prop::collection::vec(
        prop_oneof![one_of(vec![("name", texts()), ("params", object(json()).boxed())]), json()],
        0..3,
    );
    let common = one_of(vec![
        ("providerStates", states.prop_map(Json::Array).boxed()),
        ("pending", json().boxed()),
        ("comments", json().boxed()),
        ("key", texts()),
    ]);
    let kinds = prop_oneof![
        one_of(vec![("request", http_part()), ("response", http_part())])
            .prop_map(|p| ("Synchronous/HTTP", p)),
        message_part().prop_map(|p| ("Asynchronous/Messages", p)),
        one_of(vec![
            ("request", message_part()),
            ("response", prop::collection::vec(message_part(), 0..2).prop_map(Json::Array).boxed()),
        ])
        .prop_map(|p| ("Synchronous/Messages", p)),
    ];
    (common, kinds, text()).prop_map(|(common, (kind, part), description)| {
        let mut fields = vec![
            ("type".to_owned(), Json::String(kind.into())),
            ("description".to_owned(), Json::String(description)),
        ];
        fields.extend(common.fields().to_vec());
        fields.extend(part.fields().to_vec());
        Json::Object(fields)
    })
}

proptest! {
    /// The form loses nothing of an interaction, whatever stands in it, sensible or not.
    #[test]
    fn yaml_and_version_4_are_one(items in prop::collection::vec(interaction(), 0..3)) {
        let document = Json::Object(vec![
            ("consumer".into(), Json::Object(vec![("name".into(), Json::String("a".into()))])),
            ("provider".into(), Json::Object(vec![("name".into(), Json::String("b".into()))])),
            ("interactions".into(), Json::Array(items)),
        ]);
        let yaml = emit::emit(&write::file(&document));
        let root = yaml::parse(&yaml).map_err(|e| TestCaseError::fail(format!("{e}\n{yaml}")))?;
        let again = read::pact(&root).map_err(|e| TestCaseError::fail(format!("{e}\n{yaml}")))?;
        let interactions = |d: &Json| d.get("interactions").map(|i| i.write(true));
        prop_assert_eq!(interactions(&again), interactions(&document), "{}", yaml);
    }

    /// Whatever bytes come, the reader answers.
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        crate::fuzzing::fuzz_contract_file(text.as_bytes());
    }
}
