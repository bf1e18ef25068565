//! `docs/config.md`, `docs/config.schema.json` and `docs/tracepact.example.toml`, written from the schema.

use std::fmt::Write;

use serde_json::Value as Json;

use super::keys::{self, properties, type_of};
use super::layers::{FOREIGN, FOREIGN_WITHOUT_MEANING, NO_KEYS};

/// The JSON schema as text.
pub(crate) fn schema_text() -> String {
    format!("{:#}\n", keys::schema())
}

/// The page about configuration.
pub(crate) fn page() -> String {
    let mut page = String::from(
        "# Configuration\n\n\
         <!-- Written from the code: `UPDATE_DOCS=1 cargo test -p tracepact` after changing tracepact/src/config. -->\n\n\
         Everything has a default; `tracepact serve` runs without a file. What is set wins in this order: defaults, then the\n\
         file (`--config FILE`, TOML), then the environment, then flags. A key or a `TRACEPACT_…` variable that does not exist is\n\
         refused, and the nearest valid one named. `tracepact config show` prints what holds; secrets print as `***`.\n\
         An example is `docs/tracepact.example.toml`; editors find the schema in `docs/config.schema.json`.\n",
    );
    table(&mut page, "At the top of the file", &keys::schema(), &mut Vec::new(), false);
    page.push_str("\n## Environment without a key\n\n| variable | meaning |\n|---|---|\n");
    for (name, meaning) in NO_KEYS {
        let _ = writeln!(page, "| `{name}` | {meaning} |");
    }
    page.push_str(
        "\n## Names of Zipkin and of the Pact Broker\n\n\
         These hold as well; where `TRACEPACT_…` says something else, that wins and the contradiction is printed.\n\n\
         | variable | key |\n|---|---|\n",
    );
    for (name, key) in FOREIGN {
        let _ = writeln!(page, "| `{name}` | `{key}` |");
    }
    let _ = writeln!(page, "\n{}", super::pact_broker::DATABASE_PARTS_PAGE);
    let without: Vec<_> = FOREIGN_WITHOUT_MEANING.iter().map(|name| format!("`{name}`")).collect();
    let _ = writeln!(
        page,
        "\nThese have no meaning here, and it is said at start when one is set: {}.",
        without.join(", ")
    );
    page.push_str(EXIT_CODES);
    page
}

const EXIT_CODES: &str = "\n## Exit codes of `tracepact serve`\n\n\
    | code | meaning |\n|---|---|\n\
    | 0 | drained after SIGTERM or Ctrl-C |\n\
    | 1 | something else; the message says what |\n\
    | 2 | wrong usage or configuration |\n\
    | 4 | an address is in use or may not be listened on |\n\
    | 5 | the data directory cannot be written, or another tracepact uses it |\n\
    | 130, 143 | a second Ctrl-C or SIGTERM ended it at once |\n";

fn one_line(schema: &Json) -> String {
    schema["description"].as_str().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn table(page: &mut String, title: &str, schema: &Json, path: &mut Vec<String>, repeated: bool) {
    let _ = writeln!(page, "\n## {title}\n\n{}\n", one_line(schema));
    let environment = if repeated { "" } else { " environment |" };
    let _ = writeln!(
        page,
        "| key | default |{environment} meaning |\n|---|---|{}---|",
        if repeated { "" } else { "---|" }
    );
    let mut inner: Vec<(String, &Json, bool)> = Vec::new();
    for (name, property) in properties(schema) {
        path.push(name.clone());
        let nested = type_of(property) == "object" || property["items"]["properties"].is_object();
        if nested {
            inner.push((name.clone(), property, type_of(property) != "object"));
        } else {
            let default = match &property["default"] {
                Json::Null => String::new(),
                value => format!("`{value}`"),
            };
            let environment = if repeated {
                String::new()
            } else {
                format!(" `TRACEPACT_{}` |", path.join("_").to_uppercase())
            };
            let _ = writeln!(page, "| `{name}` | {default} |{environment} {} |", one_line(property));
        }
        path.pop();
    }
    for (name, property, list) in inner {
        path.push(name.clone());
        if list {
            table(page, &format!("`[[{}]]`", path.join(".")), &property["items"], path, true);
        } else {
            table(page, &format!("`[{}]`", path.join(".")), property, path, repeated);
        }
        path.pop();
    }
}

/// An example file that says everything once.
pub(crate) const EXAMPLE: &str = include_str!("../../../docs/tracepact.example.toml");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Environment, Overrides, load};

    fn docs() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
    }

    #[track_caller]
    fn same(file: &str, wanted: &str) {
        let path = docs().join(file);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, wanted).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == wanted,
            "docs/{file} differs from the code: run UPDATE_DOCS=1 cargo test -p tracepact"
        );
    }

    #[test]
    fn the_page_and_the_schema_are_those_of_the_code() {
        same("config.md", &page());
        same("config.schema.json", &schema_text());
    }

    #[test]
    fn the_example_is_valid_and_shows_every_table() {
        load(Some(&docs().join("tracepact.example.toml")), &Environment::default(), &Overrides::default())
            .unwrap();
        for (name, property) in properties(&keys::schema()) {
            if type_of(property) == "object" || property["items"]["properties"].is_object() {
                assert!(EXAMPLE.contains(&format!("[{name}]")), "the example does not show {name}");
            }
        }
    }
}
