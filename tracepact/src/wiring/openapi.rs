//! The published API: one OpenAPI document from the rooms' own, committed as `docs/openapi.json`.

use tracepact_listener::{Routes, Scope, extract::Json};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

/// The native API of all rooms. `dashboard/ui` is written against it and sees nothing else.
pub(crate) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("tracepact")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The native API, on the main port. Instants are RFC 3339 strings, durations are microseconds (`_us`), an absent member is unknown, \
             and every answer says `as_of` when it holds. Refusals are problem bodies (RFC 9457) with a stable `code`.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    for (_, room) in rooms() {
        document.merge(room);
    }
    document
}

/// What each room says about its own routes.
fn rooms() -> [(&'static str, OpenApi); 3] {
    [
        ("query", tracepact_query::openapi()),
        ("broker", tracepact_broker::openapi()),
        ("dashboard", tracepact_dashboard::openapi()),
    ]
}

/// The document, from the server it describes.
pub(crate) fn routes() -> Routes {
    Routes::new("native").get("/tracepact/v1/openapi.json", Scope::Public, async || Json(document()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_document_is_that_of_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let wanted = format!("{:#}\n", serde_json::to_value(document()).unwrap());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == wanted,
            "docs/openapi.json differs from the code: run UPDATE_DOCS=1 cargo test -p tracepact"
        );
    }

    #[test]
    fn no_two_rooms_describe_one_path() {
        let mut seen = std::collections::BTreeMap::new();
        for (room, document) in rooms() {
            for path in document.paths.paths.keys() {
                if let Some(first) = seen.insert(path.clone(), room) {
                    panic!("{path} is described by {first} and by {room}");
                }
            }
        }
    }

    #[test]
    fn no_two_rooms_give_one_name_to_different_shapes() {
        let mut seen: std::collections::BTreeMap<String, (&str, serde_json::Value)> = Default::default();
        for (room, document) in rooms() {
            for (name, schema) in document.components.map(|c| c.schemas).unwrap_or_default() {
                let shape = serde_json::to_value(schema).unwrap();
                if let Some((first, known)) = seen.insert(name.clone(), (room, shape.clone())) {
                    assert!(known == shape, "{first} and {room} both describe {name}, differently");
                }
            }
        }
    }
}
