//! Webhooks, the queue of their deliveries, and what became of each.

use super::{Conn, sql};
use crate::BrokerError;

/// A webhook's row with the names of its sides.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct WebhookRow {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) description: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) consumer: Option<String>,
    pub(crate) consumer_label: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) provider_label: Option<String>,
    /// Names with a space before, between and after.
    pub(crate) events: String,
    /// JSON; holds secrets.
    pub(crate) target: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

const WEBHOOK: &str = "SELECT w.id AS id, w.uuid AS uuid, w.description AS description, w.enabled AS enabled, \
     c.name AS consumer, w.consumer_label AS consumer_label, p.name AS provider, w.provider_label AS provider_label, \
     w.events AS events, w.target AS target, w.created_at AS created_at, w.updated_at AS updated_at FROM webhooks w \
     LEFT JOIN pacticipants c ON c.id = w.consumer_id LEFT JOIN pacticipants p ON p.id = w.provider_id";

/// What is written of a webhook.
#[derive(Debug)]
pub(crate) struct NewWebhook<'a> {
    pub(crate) uuid: &'a str,
    pub(crate) description: Option<&'a str>,
    pub(crate) enabled: bool,
    pub(crate) consumer_id: Option<i64>,
    pub(crate) consumer_label: Option<&'a str>,
    pub(crate) provider_id: Option<i64>,
    pub(crate) provider_label: Option<&'a str>,
    pub(crate) events: &'a str,
    pub(crate) target: &'a str,
}

/// Writes a webhook under its uuid, replacing the one that is there.
pub(crate) async fn put(conn: &mut Conn, new: &NewWebhook<'_>, now: i64) -> Result<(), BrokerError> {
    sql::query(
        "INSERT INTO webhooks (uuid, description, enabled, consumer_id, consumer_label, provider_id, provider_label, \
         events, target, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) \
         ON CONFLICT (uuid) DO UPDATE SET description = excluded.description, enabled = excluded.enabled, \
         consumer_id = excluded.consumer_id, consumer_label = excluded.consumer_label, \
         provider_id = excluded.provider_id, provider_label = excluded.provider_label, events = excluded.events, \
         target = excluded.target, updated_at = excluded.updated_at",
    )
    .bind(new.uuid)
    .bind(new.description)
    .bind(new.enabled)
    .bind(new.consumer_id)
    .bind(new.consumer_label)
    .bind(new.provider_id)
    .bind(new.provider_label)
    .bind(new.events)
    .bind(new.target)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn find(conn: &mut Conn, uuid: &str) -> Result<Option<WebhookRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{WEBHOOK} WHERE w.uuid = $1"));
    Ok(sql::query_as(sql).bind(uuid).fetch_optional(conn).await?)
}

/// Those of one side or pair, or all, oldest first, at most `limit`.
pub(crate) async fn list(
    conn: &mut Conn,
    consumer: Option<&str>,
    provider: Option<&str>,
    limit: i64,
) -> Result<Vec<WebhookRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{WEBHOOK} WHERE (CAST($1 AS TEXT) IS NULL OR c.name = $1) AND (CAST($2 AS TEXT) IS NULL OR p.name = $2) \
         ORDER BY w.id LIMIT $3"
    ));
    Ok(sql::query_as(sql).bind(consumer).bind(provider).bind(limit).fetch_all(conn).await?)
}

/// The enabled ones that a pair's events may trigger, by their own names, by label, or for everybody.
pub(crate) async fn of_pair(
    conn: &mut Conn,
    consumer: i64,
    provider: i64,
) -> Result<Vec<WebhookRow>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{WEBHOOK} WHERE w.enabled AND (w.consumer_id = $1 OR (w.consumer_id IS NULL AND (w.consumer_label IS NULL OR \
         EXISTS (SELECT 1 FROM labels l WHERE l.pacticipant_id = $1 AND l.name = w.consumer_label)))) AND \
         (w.provider_id = $2 OR (w.provider_id IS NULL AND (w.provider_label IS NULL OR \
         EXISTS (SELECT 1 FROM labels l WHERE l.pacticipant_id = $2 AND l.name = w.provider_label)))) ORDER BY w.id"
    ));
    Ok(sql::query_as(sql).bind(consumer).bind(provider).fetch_all(conn).await?)
}

/// Forgets a webhook; what it still had to deliver is given up, what it delivered stays readable.
pub(crate) async fn delete(conn: &mut Conn, uuid: &str, now: i64) -> Result<bool, BrokerError> {
    sql::query(
        "UPDATE triggered_webhooks SET next_at = NULL, updated_at = $2, \
         status = CASE WHEN status = 'success' THEN status ELSE 'not_run' END \
         WHERE webhook_uuid = $1 AND next_at IS NOT NULL",
    )
    .bind(uuid)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let done = sql::query("DELETE FROM webhooks WHERE uuid = $1").bind(uuid).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

/// A delivery.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Triggered {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) webhook_uuid: String,
    pub(crate) event: String,
    pub(crate) variables: String,
    pub(crate) status: String,
    pub(crate) attempts: i64,
    pub(crate) attempts_of_round: i64,
    pub(crate) rounds: i64,
    pub(crate) wanted_content: Option<i64>,
    pub(crate) wanted_version: Option<i64>,
    pub(crate) created_at: i64,
}

const TRIGGERED: &str = "SELECT id, uuid, webhook_uuid, event, variables, status, attempts, attempts_of_round, rounds, \
     wanted_content, wanted_version, created_at FROM triggered_webhooks";

/// What is written when a webhook is triggered.
#[derive(Debug)]
pub(crate) struct NewTriggered<'a> {
    pub(crate) webhook: &'a WebhookRow,
    pub(crate) event: &'a str,
    pub(crate) consumer_id: i64,
    pub(crate) provider_id: i64,
    pub(crate) consumer_version: Option<&'a str>,
    pub(crate) verification_id: Option<i64>,
    pub(crate) variables: &'a str,
    pub(crate) wanted: Option<(i64, i64)>,
}

/// Deliveries kept; older ones that are done go as new ones come.
const KEPT_MAX: i64 = 20_000;

/// Puts a delivery into the queue, due at once. Returns its uuid.
pub(crate) async fn trigger(
    conn: &mut Conn,
    new: &NewTriggered<'_>,
    now: i64,
) -> Result<String, BrokerError> {
    let uuid = super::uuid();
    let id: i64 = sql::query_scalar(
        "INSERT INTO triggered_webhooks (uuid, webhook_id, webhook_uuid, event, consumer_id, provider_id, \
         consumer_version, verification_id, variables, status, attempts, attempts_of_round, rounds, wanted_content, \
         wanted_version, next_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'not_run', 0, 0, 0, $10, $11, $12, $12, $12) RETURNING id",
    )
    .bind(&uuid)
    .bind(new.webhook.id)
    .bind(&new.webhook.uuid)
    .bind(new.event)
    .bind(new.consumer_id)
    .bind(new.provider_id)
    .bind(new.consumer_version)
    .bind(new.verification_id)
    .bind(new.variables)
    .bind(new.wanted.map(|(content, _)| content))
    .bind(new.wanted.map(|(_, version)| version))
    .bind(now)
    .fetch_one(&mut *conn)
    .await?;
    sql::query("DELETE FROM triggered_webhooks WHERE id <= $1 AND next_at IS NULL")
        .bind(id - KEPT_MAX)
        .execute(conn)
        .await?;
    Ok(uuid)
}

/// Takes what is due, at most `limit`, until `leased_until`: nobody else takes it before.
pub(crate) async fn take_due(
    conn: &mut Conn,
    now: i64,
    leased_until: i64,
    limit: i64,
) -> Result<Vec<Triggered>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{TRIGGERED} WHERE next_at <= $1 AND webhook_id IS NOT NULL AND (leased_until IS NULL OR leased_until <= $1) \
         ORDER BY next_at, id LIMIT $2"
    ));
    let due: Vec<Triggered> = sql::query_as(sql).bind(now).bind(limit).fetch_all(&mut *conn).await?;
    for row in &due {
        sql::query("UPDATE triggered_webhooks SET leased_until = $2 WHERE id = $1")
            .bind(row.id)
            .bind(leased_until)
            .execute(&mut *conn)
            .await?;
    }
    Ok(due)
}

/// Gives back whatever is taken: for a process that knows that it is alone.
pub(crate) async fn end_leases(conn: &mut Conn) -> Result<(), BrokerError> {
    sql::query("UPDATE triggered_webhooks SET leased_until = NULL WHERE leased_until IS NOT NULL")
        .execute(conn)
        .await?;
    Ok(())
}

/// When the next one is due or its lease ends, if any waits.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<i64>, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT min(CASE WHEN leased_until IS NOT NULL AND leased_until > next_at THEN leased_until ELSE next_at END) \
         FROM triggered_webhooks WHERE next_at IS NOT NULL AND webhook_id IS NOT NULL",
    )
    .fetch_one(conn)
    .await?)
}

/// How a delivery goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) status: &'static str,
    pub(crate) attempts: i64,
    pub(crate) attempts_of_round: i64,
    pub(crate) rounds: i64,
    pub(crate) next_at: Option<i64>,
}

/// Writes how a delivery goes on and gives it back.
pub(crate) async fn set_progress(
    conn: &mut Conn,
    id: i64,
    progress: &Progress,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query(
        "UPDATE triggered_webhooks SET status = $2, attempts = $3, attempts_of_round = $4, rounds = $5, next_at = $6, \
         leased_until = NULL, updated_at = $7 WHERE id = $1",
    )
    .bind(id)
    .bind(progress.status)
    .bind(progress.attempts)
    .bind(progress.attempts_of_round)
    .bind(progress.rounds)
    .bind(progress.next_at)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down one attempt.
pub(crate) async fn log(
    conn: &mut Conn,
    triggered: i64,
    success: bool,
    log: &str,
    now: i64,
) -> Result<(), BrokerError> {
    sql::query("INSERT INTO webhook_executions (triggered_id, success, log, at) VALUES ($1, $2, $3, $4)")
        .bind(triggered)
        .bind(success)
        .bind(log)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// The logs of one delivery's attempts, oldest first.
pub(crate) async fn logs(conn: &mut Conn, triggered: i64) -> Result<Vec<String>, BrokerError> {
    Ok(sql::query_scalar("SELECT log FROM webhook_executions WHERE triggered_id = $1 ORDER BY id")
        .bind(triggered)
        .fetch_all(conn)
        .await?)
}

pub(crate) async fn triggered(conn: &mut Conn, uuid: &str) -> Result<Option<Triggered>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("{TRIGGERED} WHERE uuid = $1"));
    Ok(sql::query_as(sql).bind(uuid).fetch_optional(conn).await?)
}

/// Which deliveries.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TriggeredBy<'a> {
    /// What happened to a pair, by consumer and provider.
    Pair(i64, i64),
    /// What a consumer's version did to a pair.
    Version(i64, i64, &'a str),
    /// A result.
    Result(i64),
}

/// Deliveries, newest first, at most `limit`.
pub(crate) async fn triggered_by(
    conn: &mut Conn,
    by: TriggeredBy<'_>,
    limit: i64,
) -> Result<Vec<Triggered>, BrokerError> {
    let (condition, first, second, version) = match by {
        TriggeredBy::Pair(consumer, provider) => (
            "consumer_id = $1 AND provider_id = $2 AND (CAST($3 AS TEXT) IS NULL OR 1 = 1)",
            consumer,
            provider,
            None,
        ),
        TriggeredBy::Version(consumer, provider, version) => (
            "consumer_id = $1 AND provider_id = $2 AND consumer_version = $3",
            consumer,
            provider,
            Some(version),
        ),
        TriggeredBy::Result(id) => {
            ("verification_id = $1 AND $2 = 0 AND (CAST($3 AS TEXT) IS NULL OR 1 = 1)", id, 0, None)
        }
    };
    let sql = sqlx::AssertSqlSafe(format!("{TRIGGERED} WHERE {condition} ORDER BY id DESC LIMIT $4"));
    Ok(sql::query_as(sql).bind(first).bind(second).bind(version).bind(limit).fetch_all(conn).await?)
}

/// Whether the verification that a delivery asks for is there, or nobody wants it any more: the version is neither the
/// head of the provider's main branch nor deployed nor released.
pub(crate) async fn wanted_no_more(conn: &mut Conn, content: i64, version: i64) -> Result<bool, BrokerError> {
    Ok(sql::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM verifications r WHERE r.content_row = $1 AND r.provider_version_id = $2) OR NOT ( \
         EXISTS (SELECT 1 FROM deployed_versions d WHERE d.version_id = $2 AND d.undeployed_at IS NULL) OR \
         EXISTS (SELECT 1 FROM released_versions e WHERE e.version_id = $2 AND e.support_ended_at IS NULL) OR \
         EXISTS (SELECT 1 FROM versions v JOIN pacticipants p ON p.id = v.pacticipant_id \
           JOIN branches b ON b.pacticipant_id = p.id AND b.name = p.main_branch \
           WHERE v.id = $2 AND v.id = (SELECT bv.version_id FROM branch_versions bv WHERE bv.branch_id = b.id \
             ORDER BY bv.id DESC LIMIT 1)))",
    )
    .bind(content)
    .bind(version)
    .fetch_one(conn)
    .await?)
}
