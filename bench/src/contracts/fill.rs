//! Writes the history straight into the broker's tables. The statements run on SQLite and on PostgreSQL as they are.

use std::path::Path;

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

use super::history::{
    BEGINNING_NS, CONTENTS_VERIFIED, Filled, HUB_CONSUMERS, PROVIDERS, Size, VERSION_EVERY_NS,
    VERSIONS_PER_CONTENT,
};

/// Makes a contract about as large as one with a few interactions.
const PAD: usize = 160;

/// The statements that write a history of this size into empty tables.
fn statements(size: Size) -> Vec<String> {
    let Size { pacticipants: p, versions: v } = size;
    let (at, every) = (BEGINNING_NS, VERSION_EVERY_NS);
    let (contents, step) = (size.contents(), size.step());
    let pad = "x".repeat(PAD);
    let number = |name: &str, count: u32| {
        format!("{name}(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM {name} WHERE i < {})", count - 1)
    };
    let (services, versions, of_content) = (number("s", p), number("v", v), number("k", contents));
    let (providers, verified) = (number("d", PROVIDERS), number("k", CONTENTS_VERIFIED.min(contents)));
    vec![
        // One row for each contract; `per` is how many versions share a content.
        "CREATE TABLE bench_pairs (id BIGINT PRIMARY KEY, consumer BIGINT NOT NULL, provider BIGINT NOT NULL, per BIGINT NOT NULL)"
            .to_owned(),
        format!(
            "INSERT INTO pacticipants (id, name, main_branch, created_at, updated_at) WITH RECURSIVE {services} \
             SELECT i + 1, 'service-' || (i + 1), 'main', {at}, {at} FROM s"
        ),
        format!(
            "INSERT INTO bench_pairs WITH RECURSIVE {services}, {providers} \
             SELECT s.i * {PROVIDERS} + d.i, s.i + 1, (s.i + 1 + d.i * {step} + d.i) % {p} + 1, \
             CASE WHEN d.i = 0 THEN {v} ELSE {VERSIONS_PER_CONTENT} END FROM s, d"
        ),
        format!(
            "INSERT INTO bench_pairs WITH RECURSIVE {services} SELECT {p} * {PROVIDERS} + s.i, s.i + 2, 1, {VERSIONS_PER_CONTENT} \
             FROM s WHERE s.i < {HUB_CONSUMERS} AND s.i + 2 <= {p} AND NOT EXISTS (SELECT 1 FROM bench_pairs b WHERE \
             b.consumer = s.i + 2 AND b.provider = 1)"
        ),
        format!(
            "INSERT INTO branches (id, pacticipant_id, name, created_at) WITH RECURSIVE {services} \
             SELECT i + 1, i + 1, 'main', {at} FROM s"
        ),
        // Versions come about in turns, so neighbours in a table belong to different services.
        format!(
            "INSERT INTO versions (id, pacticipant_id, number, created_at, updated_at) WITH RECURSIVE {services}, {versions} \
             SELECT v.i * {p} + s.i + 1, s.i + 1, 'v' || (v.i + 1), {at} + v.i * {every}, {at} + v.i * {every} FROM v CROSS JOIN s ORDER BY v.i"
        ),
        "INSERT INTO branch_versions (id, branch_id, version_id, created_at) SELECT id, pacticipant_id, id, created_at \
         FROM versions ORDER BY id"
            .to_owned(),
        format!(
            "INSERT INTO contents (id, consumer_id, provider_id, content_id, specification, body, created_at) \
             WITH RECURSIVE {of_content} SELECT b.id * {contents} + k.i + 1, b.consumer, b.provider, \
             'c' || b.id || '-' || k.i, '2.0.0', '{{\"consumer\":{{\"name\":\"service-' || b.consumer || \
             '\"}},\"provider\":{{\"name\":\"service-' || b.provider || '\"}},\"interactions\":[{{\"description\":\"item ' || k.i || \
             '\",\"request\":{{\"method\":\"GET\",\"path\":\"/item/' || k.i || '\"}},\"response\":{{\"status\":200,\"body\":{{\"pad\":\"{pad}\"}}}}}}],\
             \"metadata\":{{\"pactSpecification\":{{\"version\":\"2.0.0\"}}}}}}', {at} + k.i * {VERSIONS_PER_CONTENT} * {every} \
             FROM k CROSS JOIN bench_pairs b WHERE k.i <= ({v} - 1) / b.per ORDER BY k.i"
        ),
        format!(
            "INSERT INTO pacts (version_id, consumer_id, provider_id, content_row, created_at, updated_at) \
             WITH RECURSIVE {versions} SELECT v.i * {p} + b.consumer, b.consumer, b.provider, \
             b.id * {contents} + v.i / b.per + 1, {at} + v.i * {every}, {at} + v.i * {every} FROM v CROSS JOIN bench_pairs b ORDER BY v.i"
        ),
        format!(
            "INSERT INTO verifications (content_row, provider_version_id, success, pending, wip, build_url, test_results, \
             verified_by, created_at) WITH RECURSIVE {versions}, {verified} SELECT b.id * {contents} + v.i / b.per - k.i + 1, \
             v.i * {p} + b.provider, v.i % 7 <> 3 OR v.i >= {v} - 2, 1 = 0, 1 = 0, 'https://ci.example.org/' || v.i, \
             '[{{\"interactionId\":\"0123456789abcdef0123456789abcdef01234567\",\"success\":true}}]', \
             '{{\"implementation\":\"Pact-Rust\",\"version\":\"1.4.7\"}}', {at} + v.i * {every} \
             FROM v CROSS JOIN bench_pairs b CROSS JOIN k WHERE v.i / b.per - k.i >= 0 ORDER BY v.i"
        ),
        format!(
            "INSERT INTO environments (id, uuid, name, production, created_at, updated_at) VALUES \
             (1, '00000000-0000-0000-0000-000000000001', 'production', 1 = 1, {at}, {at}), \
             (2, '00000000-0000-0000-0000-000000000002', 'test', 1 = 0, {at}, {at})"
        ),
        // Every version was deployed to both, and replaced by the next; production is one version behind.
        format!(
            "INSERT INTO deployed_versions (uuid, version_id, pacticipant_id, environment_id, instance, created_at, undeployed_at) \
             SELECT 'bench-' || v.id || '-' || e.id, v.id, v.pacticipant_id, e.id, '', v.created_at, \
             CASE WHEN v.id > ({v} - 1 - (2 - e.id)) * {p} THEN NULL ELSE v.created_at + 1 END \
             FROM versions v, environments e WHERE v.id <= ({v} - (2 - e.id)) * {p}"
        ),
        "DROP TABLE bench_pairs".to_owned(),
    ]
}

/// Fills the SQLite database that the broker has just made.
pub(crate) async fn sqlite(file: &Path, size: Size) -> anyhow::Result<Filled> {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
    conn.execute("PRAGMA synchronous = OFF").await?;
    conn.execute("BEGIN").await?;
    for sql in statements(size) {
        let start: String = sql.chars().take(60).collect();
        conn.execute(AssertSqlSafe(sql)).await.context(start)?;
    }
    conn.execute("COMMIT").await?;
    let mut count = async |sql: &str| -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut conn).await?)
    };
    let filled = Filled {
        pacts: count("SELECT count(*) FROM pacts").await?,
        contents: count("SELECT count(*) FROM contents").await?,
        verifications: count("SELECT count(*) FROM verifications").await?,
        bytes: count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").await?,
    };
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    conn.close().await?;
    Ok(filled)
}

/// Makes a database on a server; its address.
pub(crate) async fn make_database(server: &str, name: &str) -> anyhow::Result<String> {
    let mut admin = PgConnection::connect(server).await?;
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
    admin.close().await?;
    let (base, _) = server.rsplit_once('/').context("the server's address names no database")?;
    Ok(format!("{base}/{name}"))
}

/// Fills the PostgreSQL database in which the broker has just made its tables.
pub(crate) async fn postgres(url: &str, size: Size) -> anyhow::Result<Filled> {
    let mut conn = PgConnection::connect(url).await?;
    // References hold by the rule that is written; checking five million of them takes longer than writing them.
    conn.execute("SET session_replication_role = replica").await?;
    conn.execute("BEGIN").await?;
    for sql in statements(size) {
        let start: String = sql.chars().take(60).collect();
        conn.execute(AssertSqlSafe(sql)).await.context(start)?;
    }
    // Rows with given ids leave the counters behind.
    for table in ["pacticipants", "branches", "versions", "branch_versions", "contents", "environments"] {
        let sql =
            format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))");
        conn.execute(AssertSqlSafe(sql)).await?;
    }
    conn.execute("COMMIT").await?;
    // What the server does by itself some time after so much was written.
    conn.execute("VACUUM (ANALYZE)").await?;
    conn.execute("CHECKPOINT").await?;
    let mut count = async |sql: &str| -> anyhow::Result<i64> {
        Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut conn).await?)
    };
    let filled = Filled {
        pacts: count("SELECT count(*) FROM pacts").await?,
        contents: count("SELECT count(*) FROM contents").await?,
        verifications: count("SELECT count(*) FROM verifications").await?,
        bytes: count("SELECT pg_database_size(current_database())").await?,
    };
    conn.close().await?;
    Ok(filled)
}
