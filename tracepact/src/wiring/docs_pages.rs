//! The pages that problem bodies name as their `type`, from the binary: an offline reader gets them too.

use http::header;
use tracepact_base::ErrorKind;
use tracepact_listener::{Routes, Scope};

const fn page(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => include_str!("../../../docs/errors/TP-INVALID.md"),
        ErrorKind::TooLarge => include_str!("../../../docs/errors/TP-TOO-LARGE.md"),
        ErrorKind::Unauthenticated => include_str!("../../../docs/errors/TP-UNAUTHENTICATED.md"),
        ErrorKind::Forbidden => include_str!("../../../docs/errors/TP-FORBIDDEN.md"),
        ErrorKind::Conflict => include_str!("../../../docs/errors/TP-CONFLICT.md"),
        ErrorKind::Exhausted => include_str!("../../../docs/errors/TP-EXHAUSTED.md"),
        ErrorKind::Unavailable => include_str!("../../../docs/errors/TP-UNAVAILABLE.md"),
        ErrorKind::NotFound => include_str!("../../../docs/errors/TP-NOT-FOUND.md"),
        ErrorKind::Deadline => include_str!("../../../docs/errors/TP-DEADLINE.md"),
        ErrorKind::Corrupt => include_str!("../../../docs/errors/TP-CORRUPT.md"),
        ErrorKind::Internal => include_str!("../../../docs/errors/TP-INTERNAL.md"),
    }
}

/// One route for each page.
pub(crate) fn routes() -> Routes {
    ErrorKind::ALL.into_iter().fold(Routes::new("docs"), |routes, kind| {
        let path = format!("/docs/errors/{}.md", kind.code());
        routes.get(&path, Scope::Public, async move || {
            ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], page(kind))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_leads_to_its_own_page() {
        for kind in ErrorKind::ALL {
            assert!(page(kind).starts_with(&format!("# {}:", kind.code())), "{}", kind.code());
        }
    }
}
