//! A broker's history, written straight into its tables: half a thousand services over years.
//!
//! Every service consumes five others, and one hub is consumed by a hundred; a contract's content changes with every tenth
//! version; each provider version verified the fifteen newest contents of each of its consumers. The SQL runs on SQLite and on
//! PostgreSQL as it is.

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// Versions between two contents of one contract.
const VERSIONS_PER_CONTENT: u32 = 10;
/// Contents that one provider version verified, of each of its consumers.
const CONTENTS_VERIFIED: u32 = 15;
/// Consumers of the hub.
pub(crate) const HUB_CONSUMERS: u32 = 100;
/// Providers of everybody.
const PROVIDERS: u32 = 5;

/// How long a history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) pacticipants: u32,
    pub(crate) versions: u32,
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    pub(crate) pacts: i64,
    pub(crate) contents: i64,
    pub(crate) verifications: i64,
}

/// The statements that write a history of this size into empty tables.
fn statements(size: Size) -> Vec<String> {
    let Size { pacticipants: p, versions: v } = size;
    let at = "1700000000000000000";
    let contents = v.div_ceil(VERSIONS_PER_CONTENT);
    let pad = "x".repeat(160);
    let number = |name: &str, count: u32| {
        format!("{name}(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM {name} WHERE i < {})", count - 1)
    };
    let (services, versions, of_content) = (number("s", p), number("v", v), number("k", contents));
    let providers = number("d", PROVIDERS);
    // One row for each (consumer, provider), numbered without gaps.
    let pairs = "CREATE TABLE bench_pairs (id BIGINT PRIMARY KEY, consumer BIGINT NOT NULL, provider BIGINT NOT NULL)";
    let step = p / PROVIDERS;
    vec![
        pairs.to_owned(),
        format!(
            "INSERT INTO pacticipants (id, name, main_branch, created_at, updated_at) WITH RECURSIVE {services} \
             SELECT i + 1, 'service-' || (i + 1), 'main', {at}, {at} FROM s"
        ),
        format!(
            "INSERT INTO bench_pairs WITH RECURSIVE {services}, {providers} \
             SELECT s.i * {PROVIDERS} + d.i, s.i + 1, (s.i + 1 + d.i * {step} + d.i) % {p} + 1 FROM s, d"
        ),
        format!(
            "INSERT INTO bench_pairs WITH RECURSIVE {services} SELECT {p} * {PROVIDERS} + s.i, s.i + 2, 1 FROM s \
             WHERE s.i < {HUB_CONSUMERS} AND NOT EXISTS (SELECT 1 FROM bench_pairs b WHERE b.consumer = s.i + 2 AND \
             b.provider = 1)"
        ),
        format!(
            "INSERT INTO branches (id, pacticipant_id, name, created_at) WITH RECURSIVE {services} \
             SELECT i + 1, i + 1, 'main', {at} FROM s"
        ),
        // Versions come about in turns, so neighbours in a table belong to different services.
        format!(
            "INSERT INTO versions (id, pacticipant_id, number, created_at, updated_at) WITH RECURSIVE {services}, {versions} \
             SELECT v.i * {p} + s.i + 1, s.i + 1, 'v' || (v.i + 1), {at} + v.i, {at} + v.i FROM v, s"
        ),
        format!(
            "INSERT INTO branch_versions (id, branch_id, version_id, created_at) SELECT id, pacticipant_id, id, created_at \
             FROM versions"
        ),
        format!(
            "INSERT INTO contents (id, consumer_id, provider_id, content_id, specification, body, created_at) \
             WITH RECURSIVE {of_content} SELECT b.id * {contents} + k.i + 1, b.consumer, b.provider, \
             'c' || b.id || '-' || k.i, '2.0.0', '{{\"consumer\":{{\"name\":\"service-' || b.consumer || \
             '\"}},\"provider\":{{\"name\":\"service-' || b.provider || '\"}},\"interactions\":[{{\"description\":\"item ' || k.i || \
             '\",\"request\":{{\"method\":\"GET\",\"path\":\"/item/' || k.i || '\"}},\"response\":{{\"status\":200,\"body\":{{\"pad\":\"{pad}\"}}}}}}],\
             \"metadata\":{{\"pactSpecification\":{{\"version\":\"2.0.0\"}}}}}}', {at} + k.i FROM k, bench_pairs b"
        ),
        format!(
            "INSERT INTO pacts (version_id, consumer_id, provider_id, content_row, created_at, updated_at) \
             WITH RECURSIVE {versions} SELECT v.i * {p} + b.consumer, b.consumer, b.provider, \
             b.id * {contents} + v.i / {VERSIONS_PER_CONTENT} + 1, {at} + v.i, {at} + v.i FROM v, bench_pairs b"
        ),
        format!(
            "INSERT INTO verifications (content_row, provider_version_id, success, pending, wip, build_url, test_results, \
             verified_by, created_at) WITH RECURSIVE {versions}, {} SELECT b.id * {contents} + v.i / {VERSIONS_PER_CONTENT} - k.i + 1, \
             v.i * {p} + b.provider, v.i % 7 <> 3 OR v.i >= {v} - 2, 1 = 0, 1 = 0, 'https://ci.example.org/' || v.i, \
             '[{{\"interactionId\":\"0123456789abcdef0123456789abcdef01234567\",\"success\":true}}]', \
             '{{\"implementation\":\"Pact-Rust\",\"version\":\"1.4.7\"}}', {at} + v.i FROM v, bench_pairs b, k \
             WHERE v.i / {VERSIONS_PER_CONTENT} - k.i >= 0 OR {contents} = 1 AND k.i = 0",
            number("k", CONTENTS_VERIFIED.min(contents)),
        ),
        format!(
            "INSERT INTO environments (id, uuid, name, production, created_at, updated_at) VALUES \
             (1, '00000000-0000-0000-0000-000000000001', 'production', 1 = 1, {at}, {at}), \
             (2, '00000000-0000-0000-0000-000000000002', 'test', 1 = 0, {at}, {at})"
        ),
        format!(
            "INSERT INTO deployed_versions (uuid, version_id, pacticipant_id, environment_id, instance, created_at) \
             SELECT 'bench-' || v.id || '-' || e.id, v.id, v.pacticipant_id, e.id, '', {at} FROM versions v, environments e \
             WHERE v.number = 'v' || ({v} - CASE WHEN e.id = 1 THEN 1 ELSE 0 END)"
        ),
        "DROP TABLE bench_pairs".to_owned(),
    ]
}

/// Fills the SQLite database that the broker has just made.
pub(crate) async fn sqlite(file: &std::path::Path, size: Size) -> anyhow::Result<Filled> {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
    sqlx::query("PRAGMA synchronous = OFF").execute(&mut conn).await?;
    sqlx::query("BEGIN").execute(&mut conn).await?;
    for sql in statements(size) {
        let start: String = sql.chars().take(60).collect();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.with_context(|| start)?;
    }
    sqlx::query("COMMIT").execute(&mut conn).await?;
    let mut count = async |table: &str| -> anyhow::Result<i64> {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        Ok(sqlx::query_scalar(sql).fetch_one(&mut conn).await?)
    };
    let filled = Filled {
        pacts: count("pacts").await?,
        contents: count("contents").await?,
        verifications: count("verifications").await?,
    };
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut conn).await?;
    conn.close().await?;
    Ok(filled)
}
