//! Whether the broker is well, and how much it holds.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use tracepact_listener::{Routes, Scope};

use super::links::href;
use super::{Ctx, iso};
use crate::store::{Conn, sql};
use crate::{Broker, BrokerError};

pub(super) fn routes(routes: Routes<Broker>, heartbeat_scope: Scope) -> Routes<Broker> {
    routes
        .get("/diagnostic/status/heartbeat", heartbeat_scope, heartbeat)
        .get("/diagnostic/status/dependencies", heartbeat_scope, dependencies)
        .get("/metrics", Scope::Read, metrics)
}

async fn heartbeat(ctx: Ctx) -> Response {
    let own = ctx.links.to("/diagnostic/status/heartbeat", &[]);
    ctx.ok(&json!({ "ok": true, "_links": { "self": href(own) } }))
}

async fn dependencies(State(broker): State<Broker>, ctx: Ctx) -> Response {
    let ok = broker.ping().await.is_ok();
    let own = ctx.links.to("/diagnostic/status/dependencies", &[]);
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    ctx.answer(status, &json!({ "database": { "ok": ok }, "_links": { "self": href(own) } }))
}

async fn metrics(State(broker): State<Broker>, ctx: Ctx) -> Result<Response, BrokerError> {
    let mut conn = broker.store().read().await?;
    let conn = &mut conn;
    let results = count(conn, "verifications").await?;
    let successes = scalar(conn, "SELECT count(*) FROM verifications WHERE success").await?;
    let body = json!({
        "pacticipants": { "count": count(conn, "pacticipants").await? },
        "integrations": { "count": scalar(conn, "SELECT count(*) FROM (SELECT DISTINCT consumer_id, provider_id FROM pacts) i").await? },
        "pactPublications": {
            "count": count(conn, "pacts").await?,
            "first": instant(conn, "SELECT created_at FROM pacts ORDER BY id LIMIT 1").await?,
            "last": instant(conn, "SELECT created_at FROM pacts ORDER BY id DESC LIMIT 1").await?,
        },
        "pactVersions": { "count": count(conn, "contents").await? },
        // A version has one pact with a provider and no revisions of it.
        "pactRevisionsPerConsumerVersion": {
            "distribution": distribution(conn, "SELECT n, count(*) FROM (SELECT count(*) AS n FROM pacts GROUP BY version_id) c GROUP BY n").await?,
        },
        "verificationResults": {
            "count": results,
            "successCount": successes,
            "failureCount": results - successes,
            "distinctCount": scalar(conn, "SELECT count(*) FROM (SELECT DISTINCT provider_version_id, content_row, success FROM verifications) r").await?,
            "first": instant(conn, "SELECT created_at FROM verifications ORDER BY id LIMIT 1").await?,
            "last": instant(conn, "SELECT created_at FROM verifications ORDER BY id DESC LIMIT 1").await?,
        },
        "verificationResultsPerPactVersion": {
            "distribution": distribution(conn, "SELECT n, count(*) FROM (SELECT count(*) AS n FROM verifications GROUP BY content_row) c GROUP BY n").await?,
        },
        "pacticipantVersions": { "count": count(conn, "versions").await? },
        "branches": { "count": count(conn, "branches").await? },
        "tags": {
            "count": count(conn, "tags").await?,
            "distinctCount": scalar(conn, "SELECT count(*) FROM (SELECT DISTINCT name FROM tags) t").await?,
            "distinctWithPacticipantCount": scalar(conn, "SELECT count(*) FROM (SELECT DISTINCT t.name, v.pacticipant_id FROM tags t JOIN versions v ON v.id = t.version_id) t").await?,
        },
        "environments": { "count": count(conn, "environments").await? },
        "deployedVersions": {
            "count": count(conn, "deployed_versions").await?,
            "currentCount": scalar(conn, "SELECT count(*) FROM deployed_versions WHERE undeployed_at IS NULL").await?,
        },
        "releasedVersions": {
            "count": count(conn, "released_versions").await?,
            "currentCount": scalar(conn, "SELECT count(*) FROM released_versions WHERE support_ended_at IS NULL").await?,
        },
        // Rows of the matrix are made when they are asked for; counting them all would be the slowest question there is.
        "matrix": { "count": -1 },
    });
    Ok(ctx.ok(&body))
}

async fn scalar(conn: &mut Conn, sql: &'static str) -> Result<i64, BrokerError> {
    Ok(sql::query_scalar(sql).fetch_one(conn).await?)
}

async fn count(conn: &mut Conn, table: &str) -> Result<i64, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    Ok(sql::query_scalar(sql).fetch_one(conn).await?)
}

async fn instant(conn: &mut Conn, sql: &'static str) -> Result<Option<String>, BrokerError> {
    let at: Option<i64> = sql::query_scalar(sql).fetch_optional(conn).await?;
    Ok(at.map(iso))
}

async fn distribution(conn: &mut Conn, sql: &'static str) -> Result<Value, BrokerError> {
    let rows: Vec<(i64, i64)> = sql::query_as(sql).fetch_all(conn).await?;
    Ok(Value::Object(rows.into_iter().map(|(n, times)| (n.to_string(), times.into())).collect()))
}
