//! `POST /tracepact/v1/contracts/import`: takes over a part of another broker's content.

use axum::extract::{FromRequest, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracepact_base::time_format;
use tracepact_contract_model::{Pact, redact_results};
use tracepact_listener::extract::Json;
use tracepact_listener::{Limits, Problem, body};

use super::{ProblemBody, rfc3339};
use crate::import::{
    Batch, ImportedEnvironment, ImportedPact, ImportedPacticipant, ImportedPresence, ImportedResult,
    ImportedVersion,
};
use crate::{Broker, BrokerError};

/// Largest batch.
const BODY: Limits = Limits { sent_bytes_max: 32 << 20, decompressed_bytes_max: 32 << 20 };

/// A part of another broker's content; every list may be left out. Parts are independent of one another as long as what is
/// named was sent before or is in the same part. Instants are RFC 3339. Sent again, it changes nothing.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportRequest {
    #[serde(default)]
    pacticipants: Vec<PacticipantPart>,
    #[serde(default)]
    environments: Vec<EnvironmentPart>,
    /// In the order of their creation: the last one on a branch is its head.
    #[serde(default)]
    versions: Vec<VersionPart>,
    #[serde(default)]
    pacts: Vec<PactPart>,
    /// In the order of their creation: of one content and provider version the last one counts.
    #[serde(default)]
    results: Vec<ResultPart>,
    #[serde(default)]
    deployments: Vec<PresencePart>,
    #[serde(default)]
    releases: Vec<PresencePart>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PacticipantPart {
    name: String,
    display_name: Option<String>,
    main_branch: Option<String>,
    repository_url: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct EnvironmentPart {
    name: String,
    display_name: Option<String>,
    #[serde(default)]
    production: bool,
    #[schema(value_type = Option<Vec<Object>>)]
    contacts: Option<Vec<Value>>,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct VersionPart {
    pacticipant: String,
    version: String,
    build_url: Option<String>,
    #[serde(default)]
    branches: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PactPart {
    /// The consumer's version; consumer and provider stand in the pact.
    version: String,
    /// The pact as text, so that numbers keep their form.
    content: String,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ResultPart {
    consumer: String,
    /// A version that has the content which was verified.
    consumer_version: String,
    provider: String,
    provider_version: String,
    success: bool,
    build_url: Option<String>,
    #[schema(value_type = Option<Object>)]
    test_results: Option<Value>,
    #[schema(value_type = Option<Object>)]
    verified_by: Option<Value>,
    created_at: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PresencePart {
    pacticipant: String,
    version: String,
    /// The environment's name.
    environment: String,
    /// The application instance of a deployment.
    instance: Option<String>,
    created_at: Option<String>,
}

/// How much of the part was new.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ImportAnswer {
    as_of: String,
    pacticipants: u64,
    environments: u64,
    versions: u64,
    pacts: u64,
    results: u64,
    presences: u64,
    /// What stays as it is here although the other broker says otherwise.
    kept: Vec<String>,
}

/// Take over a part of another broker's content.
#[utoipa::path(post, path = "/tracepact/v1/contracts/import", tag = "contracts",
    request_body = ImportRequest,
    responses((status = 200, body = ImportAnswer), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody)))]
pub(super) async fn import(
    State(broker): State<Broker>,
    Part(request): Part,
) -> Result<Json<ImportAnswer>, Problem> {
    let batch = read(request, broker.now())?;
    let done = broker.import(&batch).await?;
    Ok(Json(ImportAnswer {
        as_of: rfc3339(broker.now()),
        pacticipants: done.pacticipants,
        environments: done.environments,
        versions: done.versions,
        pacts: done.pacts,
        results: done.results,
        presences: done.presences,
        kept: done.kept,
    }))
}

/// The body, which may be larger than those of other questions.
pub(super) struct Part(ImportRequest);

impl FromRequest<Broker> for Part {
    type Rejection = Problem;

    async fn from_request(request: Request, _broker: &Broker) -> Result<Self, Problem> {
        let bytes = body::read(request, BODY).await?;
        let part = serde_json::from_slice(&bytes)
            .map_err(|error| Problem::invalid(format!("the body is not the JSON this takes: {error}")))?;
        Ok(Self(part))
    }
}

fn read(request: ImportRequest, now: i64) -> Result<Batch, BrokerError> {
    let at = |what: &str, text: Option<&str>| match text {
        None => Ok(now),
        Some(text) => time_format::from_rfc3339(text)
            .and_then(|ns| i64::try_from(ns).ok())
            .ok_or_else(|| BrokerError::invalid(what, format!("created_at {text:?} is no instant"))),
    };
    let mut batch = Batch::default();
    for one in request.pacticipants {
        let created_at = at("pacticipants", one.created_at.as_deref())?;
        batch.pacticipants.push(ImportedPacticipant {
            name: one.name,
            display_name: one.display_name,
            main_branch: one.main_branch,
            repository_url: one.repository_url,
            labels: one.labels,
            created_at,
        });
    }
    for one in request.environments {
        let created_at = at("environments", one.created_at.as_deref())?;
        batch.environments.push(ImportedEnvironment {
            name: one.name,
            display_name: one.display_name,
            production: one.production,
            contacts: one.contacts.filter(|list| !list.is_empty()).map(|list| Value::Array(list).to_string()),
            created_at,
        });
    }
    for one in request.versions {
        let created_at = at("versions", one.created_at.as_deref())?;
        batch.versions.push(ImportedVersion {
            pacticipant: one.pacticipant,
            number: one.version,
            build_url: one.build_url,
            branches: one.branches,
            tags: one.tags,
            created_at,
        });
    }
    for (index, one) in request.pacts.into_iter().enumerate() {
        let created_at = at("pacts", one.created_at.as_deref())?;
        let pact = Pact::parse(one.content.as_bytes())
            .map_err(|error| BrokerError::invalid("pacts", format!("{error} (at index {index})")))?;
        batch.pacts.push(ImportedPact { version: one.version, pact, created_at });
    }
    for one in request.results {
        let created_at = at("results", one.created_at.as_deref())?;
        let test_results = one.test_results.map(|mut results| {
            redact_results(&mut results);
            results.to_string()
        });
        batch.results.push(ImportedResult {
            consumer: one.consumer,
            consumer_version: one.consumer_version,
            provider: one.provider,
            provider_version: one.provider_version,
            success: one.success,
            build_url: one.build_url,
            test_results,
            verified_by: one.verified_by.map(|value| value.to_string()),
            created_at,
        });
    }
    let presences = request
        .deployments
        .into_iter()
        .map(|one| (true, one))
        .chain(request.releases.into_iter().map(|one| (false, one)));
    for (deployed, one) in presences {
        let created_at = at("deployments", one.created_at.as_deref())?;
        batch.presences.push(ImportedPresence {
            pacticipant: one.pacticipant,
            version: one.version,
            environment: one.environment,
            instance: deployed.then(|| one.instance.unwrap_or_default()),
            created_at,
        });
    }
    Ok(batch)
}
