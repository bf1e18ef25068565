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

/// Counts from 0 as a recursive table `name` with a column `i`.
fn numbers(name: &str, count: u32) -> String {
    format!("{name}(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM {name} WHERE i < {})", count - 1)
}

/// The statements that write a history of this size into empty tables.
fn statements(size: Size) -> Vec<String> {
    let mut all = beginning(size);
    for index in 0..size.versions {
        all.extend(version(size, index));
    }
    all.extend(end(size));
    all
}

/// Services, and who consumes whom: one row of `bench_pairs` for each contract, `per` versions of which share a content.
fn beginning(size: Size) -> Vec<String> {
    let (p, v, at, step) = (size.pacticipants, size.versions, BEGINNING_NS, size.step());
    let (services, providers) = (numbers("s", p), numbers("d", PROVIDERS));
    vec![
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
    ]
}

/// One version of every service, its contracts and its results: history grows in turns, so neighbours in a table belong to
/// different services.
fn version(size: Size, i: u32) -> Vec<String> {
    let Size { pacticipants: p, versions: v } = size;
    let contents = size.contents();
    let at = BEGINNING_NS + i64::from(i) * VERSION_EVERY_NS;
    let (services, verified) = (numbers("s", p), numbers("k", CONTENTS_VERIFIED.min(contents)));
    let (first, success) = (i * p, i % 7 != 3 || i + 2 >= v);
    let pad = "x".repeat(PAD);
    vec![
        format!(
            "INSERT INTO versions (id, pacticipant_id, number, created_at, updated_at) WITH RECURSIVE {services} \
             SELECT {first} + i + 1, i + 1, 'v{}', {at}, {at} FROM s",
            i + 1
        ),
        format!(
            "INSERT INTO branch_versions (id, branch_id, version_id, created_at) SELECT id, pacticipant_id, id, created_at \
             FROM versions WHERE id > {first}"
        ),
        format!(
            "INSERT INTO contents (id, consumer_id, provider_id, content_id, specification, body, created_at) \
             SELECT b.id * {contents} + {i} / b.per + 1, b.consumer, b.provider, 'c' || b.id || '-' || {i} / b.per, '2.0.0', \
             '{{\"consumer\":{{\"name\":\"service-' || b.consumer || '\"}},\"provider\":{{\"name\":\"service-' || b.provider || \
             '\"}},\"interactions\":[{{\"description\":\"item {i}\",\"request\":{{\"method\":\"GET\",\"path\":\"/item/{i}\"}},\
             \"response\":{{\"status\":200,\"body\":{{\"pad\":\"{pad}\"}}}}}}],\
             \"metadata\":{{\"pactSpecification\":{{\"version\":\"2.0.0\"}}}}}}', {at} FROM bench_pairs b WHERE {i} % b.per = 0"
        ),
        format!(
            "INSERT INTO pacts (version_id, consumer_id, provider_id, content_row, created_at, updated_at) \
             SELECT {first} + b.consumer, b.consumer, b.provider, b.id * {contents} + {i} / b.per + 1, {at}, {at} FROM bench_pairs b"
        ),
        format!(
            "INSERT INTO verifications (content_row, provider_version_id, success, pending, wip, build_url, test_results, \
             verified_by, created_at) WITH RECURSIVE {verified} SELECT b.id * {contents} + {i} / b.per - k.i + 1, \
             {first} + b.provider, {success}, false, false, 'https://ci.example.org/{i}', \
             '[{{\"interactionId\":\"0123456789abcdef0123456789abcdef01234567\",\"success\":true}}]', \
             '{{\"implementation\":\"Pact-Rust\",\"version\":\"1.4.7\"}}', {at} \
             FROM bench_pairs b, k WHERE {i} / b.per - k.i >= 0"
        ),
    ]
}

/// Environments. Every version was deployed to both, and replaced by the next; production is one version behind.
fn end(size: Size) -> Vec<String> {
    let (p, v, at) = (size.pacticipants, size.versions, BEGINNING_NS);
    vec![
        format!(
            "INSERT INTO environments (id, uuid, name, production, created_at, updated_at) VALUES \
             (1, '00000000-0000-0000-0000-000000000001', 'production', true, {at}, {at}), \
             (2, '00000000-0000-0000-0000-000000000002', 'test', false, {at}, {at})"
        ),
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
