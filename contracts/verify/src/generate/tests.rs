use proptest::prelude::*;

use super::*;

/// Text that breaks out of careless generators.
const HOSTILE: [&str; 12] = [
    "\"; panic!(); //",
    "\\u0022; System.exit(1); //",
    "*/ class X {} /*",
    "a\nb\r\nc\u{2028}d",
    "../../etc/passwd",
    "\\",
    "\\\\u0022",
    "\"#; fn main() {}",
    "${x}",
    "{}",
    "\u{0}\u{7f}\u{85}\u{1F600}é",
    "\u{202e}}",
];

fn contract(texts: &[&str]) -> ContractFile {
    let quoted: Vec<String> = texts.iter().map(|t| serde_json::to_string(t).unwrap()).collect();
    let items: Vec<String> = quoted
        .iter()
        .map(|t| {
            format!(
                r#"{{"type":"Synchronous/HTTP","description":{t},"providerStates":[{{"name":{t}}}],"request":{{"method":"GET","path":"/x"}},"response":{{"status":200,"body":{{"content":{{{t}:{t}}},"contentType":"application/json","encoded":false}}}}}},
                {{"type":"Asynchronous/Messages","description":{t},"contents":{{"content":{t},"contentType":"application/json","encoded":false}}}}"#
            )
        })
        .collect();
    // Names of pacticipants take no control characters.
    let name: String = texts.concat().chars().filter(|c| !c.is_control()).take(60).collect();
    let name =
        if name.trim().is_empty() || name.trim().chars().all(|c| c == '.') { "a".to_owned() } else { name };
    let name = serde_json::to_string(&name).unwrap();
    let text = format!(
        r#"{{"consumer":{{"name":{name}}},"provider":{{"name":{name}}},"interactions":[{}],"metadata":{{"pactSpecification":{{"version":"4.0"}}}}}}"#,
        items.join(",")
    );
    ContractFile::from_json(text.as_bytes()).unwrap()
}

/// Rust source as its tokens, every literal and every derived identifier replaced by what it is.
fn shape_of_rust(source: &str) -> String {
    fn shape(stream: proc_macro2::TokenStream, out: &mut String) {
        for token in stream {
            match token {
                proc_macro2::TokenTree::Group(group) => {
                    out.push_str(&format!("{:?}(", group.delimiter()));
                    shape(group.stream(), out);
                    out.push(')');
                }
                proc_macro2::TokenTree::Ident(ident) => {
                    let name = ident.to_string();
                    out.push_str(if name.starts_with("interaction_") && name != "interaction_results" {
                        "TEST"
                    } else {
                        &name
                    });
                }
                proc_macro2::TokenTree::Literal(_) => out.push_str("LITERAL"),
                proc_macro2::TokenTree::Punct(punct) => out.push(punct.as_char()),
            }
            out.push(' ');
        }
    }
    let mut out = String::new();
    shape(source.parse().expect("it is Rust"), &mut out);
    out
}

/// Java source without its literals (octal and our own `\u` escapes are all that may stand in them) and with derived
/// names replaced. Fails when a `\u` could be anything but a character beyond ASCII.
fn shape_of_java(source: &str) -> String {
    assert!(source.is_ascii());
    for (at, _) in source.match_indices("\\u") {
        let code = u32::from_str_radix(&source[at + 2..at + 6], 16).unwrap();
        assert!(code > 0xff, "a \\u that the compiler would read as {code:x}");
    }
    let mut out = String::new();
    let mut rest = source;
    while let Some(start) = rest.find('"') {
        out.push_str(&rest[..start]);
        let bytes = rest.as_bytes();
        let mut at = start + 1;
        while bytes[at] != b'"' {
            assert!(bytes[at] != b'\n', "a literal that ends with its line");
            at += if bytes[at] == b'\\' { 2 } else { 1 };
        }
        out.push_str("LITERAL");
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .map(|word| match word {
            w if w.starts_with("state_") => "STATE",
            w if w.starts_with("message_") => "MESSAGE",
            w if w.ends_with("ContractTest") => "CLASS",
            w => w,
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn source(contract: &ContractFile, language: Language) -> String {
    generate(contract, language).unwrap().remove(0).content
}

#[test]
fn hostile_text_changes_nothing_but_literals_and_names() {
    for text in HOSTILE {
        let (bad, good) = (contract(&[text, "second"]), contract(&["harmless", "second"]));
        assert_eq!(
            shape_of_rust(&source(&bad, Language::Rust)),
            shape_of_rust(&source(&good, Language::Rust)),
            "{text:?}"
        );
        assert_eq!(
            shape_of_java(&source(&bad, Language::Java)),
            shape_of_java(&source(&good, Language::Java)),
            "{text:?}"
        );
        for language in [Language::Rust, Language::Java] {
            for file in generate(&bad, language).unwrap() {
                let path = file.path.to_str().unwrap();
                assert!(
                    !path.contains("..") && path.is_ascii() && !path.contains(['"', '\\', ' ']),
                    "{path}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_only_ever_a_literal(text in any::<String>()) {
        let (bad, good) = (contract(&[&text]), contract(&["harmless"]));
        prop_assert_eq!(shape_of_rust(&source(&bad, Language::Rust)), shape_of_rust(&source(&good, Language::Rust)));
        prop_assert_eq!(shape_of_java(&source(&bad, Language::Java)), shape_of_java(&source(&good, Language::Java)));
    }

    #[test]
    fn a_rust_literal_means_its_text(text in any::<String>()) {
        let literal = literal::rust(&text);
        prop_assert!(literal.is_ascii());
        // What the compiler makes of it: only \u{…} escapes are in there.
        let mut meant = String::new();
        let mut rest = &literal[1..literal.len() - 1];
        while let Some(at) = rest.find("\\u{") {
            meant.push_str(&rest[..at]);
            let end = rest[at..].find('}').unwrap() + at;
            meant.push(char::from_u32(u32::from_str_radix(&rest[at + 3..end], 16).unwrap()).unwrap());
            rest = &rest[end + 1..];
        }
        meant.push_str(rest);
        prop_assert_eq!(meant, text);
    }
}

#[test]
fn a_java_literal_has_no_backslash_of_its_text() {
    assert_eq!(literal::java("a\\u0022\"\n"), "\"a\\134u0022\\042\\012\"");
}
