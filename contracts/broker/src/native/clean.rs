//! `POST /tracepact/v1/contracts/clean`: deletes versions nobody needs any more, or says which.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tracepact_listener::Problem;
use tracepact_listener::extract::Json;

use super::{ProblemBody, rfc3339};
use crate::clean::{Keep, Line};
use crate::{Broker, BrokerError};

/// Most versions deleted by one request.
const LIMIT_MAX: usize = 100_000;
/// Versions deleted by one request when it does not say how many.
const LIMIT: usize = 1_000;
/// Most selectors.
const SELECTORS_MAX: usize = 100;

/// What to keep; everything else goes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CleanRequest {
    /// Versions that any of these fits are kept. Left out: the last 90 days, the head of every branch and tag, and the
    /// newest version. What is deployed, released, or has results for a contract in use is kept in any case.
    keep: Option<Vec<KeepSelector>>,
    /// Only say what would be deleted. True unless it is `false`.
    dry_run: Option<bool>,
    /// Most versions to delete, oldest first; 1000 unless said.
    limit: Option<usize>,
}

/// All that is set has to hold.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct KeepSelector {
    /// Only versions of this pacticipant.
    pacticipant: Option<String>,
    /// On the branch of this name, or `true`: on any.
    #[schema(value_type = Option<Object>)]
    branch: Option<Wanted>,
    /// With the tag of this name, or `true`: with any.
    #[schema(value_type = Option<Object>)]
    tag: Option<Wanted>,
    /// On the main branch.
    #[serde(default)]
    main_branch: bool,
    /// Only the head of the line named beside it; alone: the newest version.
    #[serde(default)]
    latest: bool,
    /// Not older than this many days.
    max_age_days: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Wanted {
    Any(bool),
    Named(String),
}

/// What was deleted, or would be.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct CleanAnswer {
    as_of: String,
    dry_run: bool,
    /// Versions that go.
    deleted: Vec<CleanedVersion>,
    /// Versions that could go as well and stay because of the limit.
    left: u64,
    /// Versions that stay, by reason.
    kept: BTreeMap<String, u64>,
    /// Contents that no version carried any more; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    contents_deleted: Option<u64>,
    /// Branches that had no version any more; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    branches_deleted: Option<u64>,
}

/// A version that goes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CleanedVersion {
    pacticipant: String,
    version: String,
}

/// Delete the versions that no selector keeps, or only say which.
#[utoipa::path(post, path = "/tracepact/v1/contracts/clean", tag = "contracts",
    request_body = CleanRequest,
    responses((status = 200, body = CleanAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
pub(super) async fn clean(
    State(broker): State<Broker>,
    Json(request): Json<CleanRequest>,
) -> Result<Json<CleanAnswer>, Problem> {
    let keep = match request.keep {
        None => Keep::defaults(),
        Some(list) => {
            if list.len() > SELECTORS_MAX {
                return Err(Problem::invalid(format!("keep: at most {SELECTORS_MAX} selectors")));
            }
            list.into_iter().map(selector).collect::<Result<_, BrokerError>>()?
        }
    };
    let limit = request.limit.unwrap_or(LIMIT);
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::invalid(format!("limit: must be between 1 and {LIMIT_MAX}")));
    }
    let dry_run = request.dry_run.unwrap_or(true);
    let cleaned = broker.clean(&keep, limit, dry_run).await?;
    let deleted = cleaned.deleted.into_iter();
    Ok(Json(CleanAnswer {
        as_of: rfc3339(broker.now()),
        dry_run,
        deleted: deleted.map(|(pacticipant, version)| CleanedVersion { pacticipant, version }).collect(),
        left: cleaned.left,
        kept: cleaned.kept,
        contents_deleted: (!dry_run).then_some(cleaned.contents),
        branches_deleted: (!dry_run).then_some(cleaned.branches),
    }))
}

fn selector(raw: KeepSelector) -> Result<Keep, BrokerError> {
    let line = |what: &str, wanted: Option<Wanted>| match wanted {
        None => Ok(None),
        Some(Wanted::Any(true)) => Ok(Some(Line::Any)),
        Some(Wanted::Named(name)) if !name.trim().is_empty() => Ok(Some(Line::Named(name))),
        Some(_) => Err(BrokerError::invalid("keep", format!("{what} is a name or true"))),
    };
    let keep = Keep {
        pacticipant: raw.pacticipant,
        branch: line("branch", raw.branch)?,
        tag: line("tag", raw.tag)?,
        main_branch: raw.main_branch,
        latest: raw.latest,
        max_age_days: raw.max_age_days.map(i64::from),
    };
    let says_nothing =
        Keep { pacticipant: None, ..keep.clone() } == Keep::default() && keep.pacticipant.is_none();
    if says_nothing {
        return Err(BrokerError::invalid("keep", "an empty selector would keep everything"));
    }
    Ok(keep)
}
