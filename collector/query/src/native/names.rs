//! `GET /tracepact/v1/names/{kind}`: what can be asked for: services, operations, tags and their values, as they were
//! seen within the lookback.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use tracepact_base::time_format::to_rfc3339;
use tracepact_listener::Problem;
use tracepact_store::NameKind;
use utoipa::ToSchema;

use super::answer::{fresh, problem};
use super::traces::search_allowed;
use crate::Query;
use crate::params::Params;
use crate::service::cut_text;

const LIMIT_DEFAULT: usize = 1_000;

/// Names seen, sorted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamesAnswer {
    /// When this was true.
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every name that was seen is here.
    pub complete: bool,
    /// What is missing, when not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The names.
    pub names: Vec<String>,
}

/// What is asked for, which of it, and how much.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) kind: NameKind,
    /// Lower case.
    pub(crate) prefix: Option<String>,
    pub(crate) limit: usize,
}

/// Reads the path's last part and the parameters.
pub(crate) fn asked(kind: &str, raw: Option<&str>, names_max: usize) -> Result<Asked, Problem> {
    let mut params = Params::of(raw)?;
    let needed = |name: &'static str, params: &mut Params| {
        params
            .text(name)?
            .ok_or_else(|| Problem::invalid(format!("{name} is missing: whose {kind} are asked for?")))
    };
    let kind = match kind {
        "services" => NameKind::Services,
        "operations" => NameKind::Spans { service: needed("service", &mut params)?.to_lowercase() },
        "remote_services" => {
            NameKind::RemoteServices { service: needed("service", &mut params)?.to_lowercase() }
        }
        "tags" => NameKind::TagKeys,
        "tag_values" => NameKind::TagValues { key: needed("key", &mut params)? },
        other => {
            return Err(Problem::not_found(format!(
                "there are services, operations, remote_services, tags and tag_values, no {other}"
            )));
        }
    };
    let prefix = params.text("prefix")?.map(|prefix| prefix.to_lowercase());
    let limit = params.limit("limit", LIMIT_DEFAULT.min(names_max), names_max)?;
    params.finish()?;
    Ok(Asked { kind, prefix, limit })
}

/// Names that were seen within the lookback; of every tag, not only of configured ones.
#[utoipa::path(
    get,
    path = "/tracepact/v1/names/{kind}",
    tag = "traces",
    params(
        ("kind" = String, Path, description = "`services`, `operations` (of a service), `remote_services` (seen by a service), `tags` (keys), `tag_values` (of a key)"),
        ("service" = Option<String>, Query, description = "Whose operations or remote services, any case"),
        ("key" = Option<String>, Query, description = "Whose values"),
        ("prefix" = Option<String>, Query, description = "Only names that begin with it, any case"),
        ("limit" = Option<u32>, Query, description = "Most names; 1000 unless given"),
    ),
    responses(
        (status = 200, description = "The names, sorted", body = NamesAnswer),
        (status = 400, description = "A parameter is missing, unknown or out of bounds", content_type = "application/problem+json"),
        (status = 403, description = "Searching is off here", content_type = "application/problem+json"),
        (status = 404, description = "There are no names of this kind", content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_names(
    State(query): State<Query>,
    Path(kind): Path<String>,
    RawQuery(raw): RawQuery,
) -> Result<Response, Problem> {
    search_allowed(query.config())?;
    let Asked { kind, prefix, limit } = asked(&kind, raw.as_deref(), query.config().names_max)?;
    let now_ns = query.now_ns();
    let found = query.names(kind).await.map_err(problem)?;
    let mut cut = cut_text(&found.completeness);
    let mut names = found.values;
    if let Some(prefix) = prefix {
        names.retain(|name| name.to_lowercase().starts_with(&prefix));
    }
    if names.len() > limit {
        cut = Some(format!("the first {limit} of {} names", names.len()));
        names.truncate(limit);
    }
    fresh(&NamesAnswer { as_of: to_rfc3339(now_ns), complete: cut.is_none(), cut, names })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_says_what_it_needs() {
        let of = |kind: &str, raw: &str| asked(kind, Some(raw), 10_000);
        assert_eq!(of("services", "").unwrap().kind, NameKind::Services);
        let operations = of("operations", "service=Orders&prefix=PO&limit=5").unwrap();
        assert_eq!(operations.kind, NameKind::Spans { service: "orders".to_owned() });
        assert_eq!((operations.prefix.as_deref(), operations.limit), (Some("po"), 5));
        assert_eq!(of("tag_values", "key=a").unwrap().kind, NameKind::TagValues { key: "a".to_owned() });
        assert!(of("operations", "").unwrap_err().detail().contains("service is missing"));
        assert!(of("tag_values", "service=a").unwrap_err().detail().contains("key is missing"));
        assert!(of("tags", "key=a").is_err(), "nobody asked for it");
        assert!(of("spans", "").unwrap_err().detail().contains("tag_values"));
        assert!(of("tags", "limit=10001").is_err());
    }
}
