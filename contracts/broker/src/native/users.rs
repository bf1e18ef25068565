//! Users, their rights and tokens, and the log of changes. For administrators only.

use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tracepact_base::{ErrorKind, Secret};
use tracepact_contract_model::check_name;
use tracepact_listener::Problem;
use tracepact_listener::extract::{Json, Path, Query};

use super::{ProblemBody, rfc3339};
use crate::auth::rights::Grant;
use crate::auth::secrets::{self, PASSWORD_CHARS_MIN, SECRET_BYTES_MAX};
use crate::store::users::{self, NewToken};
use crate::store::{Conn, audit};
use crate::{Broker, BrokerError};

/// Most users in one answer.
const USERS_MAX: i64 = 1_000;
/// Most entries of the log in one answer.
const ENTRIES_MAX: i64 = 1_000;
/// Most rights of one user.
const GRANTS_MAX: usize = 500;
/// Longest life of a token that is to end.
const TOKEN_DAYS_MAX: u32 = 3_650;

/// A user as it is to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// At least 12 characters. Without one the password stays as it is; a user without any has tokens only.
    #[schema(value_type = Option<String>)]
    password: Option<Secret>,
    /// All the user may do: `admin`, `publish:CONSUMER`, `verify:PROVIDER`, `deploy:ENVIRONMENT`, `team:TEAM`. A name may
    /// end with `*`. Without it the rights stay as they are. Everybody who is known may read.
    grants: Option<Vec<String>>,
}

/// A user.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct UserShown {
    name: String,
    has_password: bool,
    grants: Vec<String>,
    tokens: Vec<TokenShown>,
    created_at: String,
}

/// A token, without what makes it one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TokenShown {
    id: String,
    /// What it is for.
    name: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// Users by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Users {
    /// When this was true.
    as_of: String,
    users: Vec<UserShown>,
    complete: bool,
}

/// A token as it is to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenWanted {
    /// What it is for.
    name: String,
    /// Days until it ends; without, it does not.
    expires_in_days: Option<u32>,
}

/// A token that was made.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TokenMade {
    id: String,
    /// The token. It is shown this once.
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// One change.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuditEntry {
    id: i64,
    at: String,
    /// A user's name, `admin token`, `token` or `anonymous`.
    who: String,
    /// The request that made it, or the change in words.
    what: String,
}

/// Changes, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct AuditLog {
    /// When this was true.
    as_of: String,
    entries: Vec<AuditEntry>,
    /// Whether the log ends here; else ask again with `before` the last entry's id.
    complete: bool,
}

/// Which changes.
#[derive(Debug, Deserialize)]
pub(super) struct AuditQuery {
    who: Option<String>,
    before: Option<i64>,
    limit: Option<i64>,
}

async fn show(conn: &mut Conn, user: users::User) -> Result<UserShown, BrokerError> {
    let rights = users::rights(conn, user.id).await?;
    let tokens = users::tokens(conn, user.id).await?;
    Ok(UserShown {
        grants: rights.grants.iter().map(ToString::to_string).collect(),
        tokens: tokens
            .into_iter()
            .map(|t| TokenShown {
                id: t.uuid,
                name: t.name,
                created_at: rfc3339(t.created_at),
                expires_at: t.expires_at.map(rfc3339),
            })
            .collect(),
        name: user.name,
        has_password: user.has_password,
        created_at: rfc3339(user.created_at),
    })
}

/// The broker's users with their rights and tokens.
#[utoipa::path(get, path = "/tracepact/v1/broker/users", tag = "broker",
    responses((status = 200, body = Users), (status = "default", body = ProblemBody)))]
pub(super) async fn list_users(State(broker): State<Broker>) -> Result<Json<Users>, Problem> {
    let mut conn = broker.store().read().await?;
    let mut rows = users::list(&mut conn, USERS_MAX + 1).await?;
    let complete = i64::try_from(rows.len()).is_ok_and(|count| count <= USERS_MAX);
    rows.truncate(usize::try_from(USERS_MAX).unwrap_or(usize::MAX));
    let mut shown = Vec::new();
    for row in rows {
        shown.push(show(&mut conn, row).await?);
    }
    Ok(Json(Users { as_of: rfc3339(broker.now()), users: shown, complete }))
}

/// Makes a user, or changes password and rights. The first user closes the broker for everybody who is none.
#[utoipa::path(put, path = "/tracepact/v1/broker/users/{name}", tag = "broker", request_body = UserChange,
    params(("name" = String, Path, description = "The user's name")),
    responses((status = 200, body = UserShown), (status = 201, body = UserShown), (status = "default", body = ProblemBody)))]
pub(super) async fn put_user(
    State(broker): State<Broker>,
    Path(name): Path<String>,
    Json(change): Json<UserChange>,
) -> Result<(StatusCode, Json<UserShown>), Problem> {
    let name = check_name("name", &name).map_err(BrokerError::from)?.to_owned();
    if name.contains(':') {
        return Err(Problem::invalid(
            "name: a user's name has no colon, since basic authentication could not carry it",
        ));
    }
    let grants = change.grants.as_deref().map(read_grants).transpose()?;
    let hash = match change.password {
        None => None,
        Some(password) => Some(hashed(password).await?),
    };
    let now = broker.now();
    let mut write = broker.store().write().await?;
    let conn = write.conn();
    let new = users::find(conn, &name).await?.is_none();
    let id = users::put(conn, &name, hash.as_deref(), now).await?;
    if let Some(grants) = &grants {
        users::set_rights(conn, id, grants).await?;
    }
    let user = users::get(conn, &name).await?;
    let shown = show(conn, user).await?;
    broker.commit(write).await?;
    broker.users_changed().await?;
    Ok((if new { StatusCode::CREATED } else { StatusCode::OK }, Json(shown)))
}

fn read_grants(texts: &[String]) -> Result<Vec<Grant>, Problem> {
    if texts.len() > GRANTS_MAX {
        return Err(Problem::invalid(format!(
            "grants: a user has at most {GRANTS_MAX}; use names that end with *"
        )));
    }
    texts
        .iter()
        .map(|text| Grant::parse(text).map_err(|e| Problem::invalid(format!("grants: {e}"))))
        .collect()
}

async fn hashed(password: Secret) -> Result<String, Problem> {
    let length = password.expose().chars().count();
    if length < PASSWORD_CHARS_MIN || password.expose().len() > SECRET_BYTES_MAX {
        return Err(Problem::invalid(format!(
            "password: {PASSWORD_CHARS_MIN} characters at least, {SECRET_BYTES_MAX} bytes at most"
        )));
    }
    off_the_request_threads(move || secrets::hash(password.expose())).await
}

async fn off_the_request_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BrokerError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|e| Problem::new(ErrorKind::Internal, e.to_string()))??)
}

/// Removes a user with all their tokens. What they published stays.
#[utoipa::path(delete, path = "/tracepact/v1/broker/users/{name}", tag = "broker",
    params(("name" = String, Path, description = "The user's name")),
    responses((status = 204), (status = "default", body = ProblemBody)))]
pub(super) async fn delete_user(
    State(broker): State<Broker>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let mut write = broker.store().write().await?;
    let user = users::get(write.conn(), &name).await?;
    users::delete(write.conn(), user.id).await?;
    broker.commit(write).await?;
    broker.users_changed().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a token of a user. It is shown this once.
#[utoipa::path(post, path = "/tracepact/v1/broker/users/{name}/tokens", tag = "broker", request_body = TokenWanted,
    params(("name" = String, Path, description = "The user's name")),
    responses((status = 201, body = TokenMade), (status = "default", body = ProblemBody)))]
pub(super) async fn add_token(
    State(broker): State<Broker>,
    Path(name): Path<String>,
    Json(wanted): Json<TokenWanted>,
) -> Result<(StatusCode, Json<TokenMade>), Problem> {
    let purpose = check_name("name", &wanted.name).map_err(BrokerError::from)?.to_owned();
    let now = broker.now();
    let expires_at = match wanted.expires_in_days {
        None => None,
        Some(days) if (1..=TOKEN_DAYS_MAX).contains(&days) => {
            Some(now + i64::from(days) * 86_400_000_000_000)
        }
        Some(_) => {
            return Err(Problem::invalid(format!("expires_in_days: between 1 and {TOKEN_DAYS_MAX}")));
        }
    };
    let (token, lookup, hash) = off_the_request_threads(|| {
        let (token, lookup) = secrets::new_token()?;
        let hash = secrets::hash(&token)?;
        Ok((token, lookup, hash))
    })
    .await?;
    let mut write = broker.store().write().await?;
    let user = users::get(write.conn(), &name).await?;
    let new = NewToken { user: user.id, name: &purpose, lookup: &lookup, hash: &hash, expires_at };
    let id = users::add_token(write.conn(), &new, now).await?;
    broker.commit(write).await?;
    Ok((StatusCode::CREATED, Json(TokenMade { id, token, expires_at: expires_at.map(rfc3339) })))
}

/// Revokes a token at once.
#[utoipa::path(delete, path = "/tracepact/v1/broker/tokens/{id}", tag = "broker",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204), (status = "default", body = ProblemBody)))]
pub(super) async fn delete_token(
    State(broker): State<Broker>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let mut write = broker.store().write().await?;
    if !users::delete_token(write.conn(), &id).await? {
        return Err(Problem::not_found(format!("there is no token {id}")));
    }
    broker.commit(write).await?;
    broker.users_changed().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who changed what, newest first.
#[utoipa::path(get, path = "/tracepact/v1/broker/audit", tag = "broker",
    params(
        ("who" = Option<String>, Query, description = "Only what this user changed"),
        ("before" = Option<i64>, Query, description = "Only entries with a smaller id"),
        ("limit" = Option<i64>, Query, description = "At most this many, 100 unless said otherwise, 1000 at most"),
    ),
    responses((status = 200, body = AuditLog), (status = "default", body = ProblemBody)))]
pub(super) async fn audit_log(
    State(broker): State<Broker>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditLog>, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, ENTRIES_MAX);
    let before = query.before.unwrap_or(i64::MAX);
    let mut conn = broker.store().read().await?;
    let mut rows = audit::list(&mut conn, query.who.as_deref(), before, limit + 1).await?;
    let complete = i64::try_from(rows.len()).is_ok_and(|count| count <= limit);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let entries = rows.into_iter().map(|row| AuditEntry {
        id: row.id,
        at: rfc3339(row.at),
        who: row.who,
        what: row.what,
    });
    Ok(Json(AuditLog { as_of: rfc3339(broker.now()), entries: entries.collect(), complete }))
}
