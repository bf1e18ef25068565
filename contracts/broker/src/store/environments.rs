//! Environments, and what is deployed or released there.

use super::{Conn, sql, uuid};
use crate::BrokerError;

const COLUMNS: &str = "id, uuid, name, display_name, production, contacts, created_at, updated_at";

#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Environment {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) display_name: Option<String>,
    pub(crate) production: bool,
    pub(crate) contacts: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

pub(crate) async fn find_by_name(conn: &mut Conn, name: &str) -> Result<Option<Environment>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM environments WHERE name = $1"));
    Ok(sql::query_as(sql).bind(name).fetch_optional(conn).await?)
}

/// The name of an environment that exists.
pub(crate) async fn name_of(conn: &mut Conn, id: i64) -> Result<String, BrokerError> {
    Ok(sql::query_scalar("SELECT name FROM environments WHERE id = $1").bind(id).fetch_one(conn).await?)
}

/// By uuid; some clients put the name in its place, which is unique too.
pub(crate) async fn get(conn: &mut Conn, uuid_or_name: &str) -> Result<Environment, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM environments WHERE uuid = $1 OR name = $1"));
    sql::query_as(sql)
        .bind(uuid_or_name)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| BrokerError::NotFound(format!("No environment '{uuid_or_name}' found")))
}

pub(crate) async fn list(conn: &mut Conn, name: Option<&str>) -> Result<Vec<Environment>, BrokerError> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM environments WHERE CAST($1 AS TEXT) IS NULL OR name = $1 ORDER BY name"
    ));
    Ok(sql::query_as(sql).bind(name).fetch_all(conn).await?)
}

pub(crate) async fn insert(conn: &mut Conn, environment: &Environment) -> Result<(), BrokerError> {
    sql::query(
        "INSERT INTO environments (uuid, name, display_name, production, contacts, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&environment.uuid)
    .bind(&environment.name)
    .bind(&environment.display_name)
    .bind(environment.production)
    .bind(&environment.contacts)
    .bind(environment.created_at)
    .bind(environment.updated_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn update(conn: &mut Conn, environment: &Environment) -> Result<(), BrokerError> {
    sql::query(
        "UPDATE environments SET name = $2, display_name = $3, production = $4, contacts = $5, updated_at = $6 WHERE id = $1",
    )
    .bind(environment.id)
    .bind(&environment.name)
    .bind(&environment.display_name)
    .bind(environment.production)
    .bind(&environment.contacts)
    .bind(environment.updated_at)
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(conn: &mut Conn, id: i64) -> Result<(), BrokerError> {
    sql::query("DELETE FROM environments WHERE id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// A version in an environment: deployed to it, or released there.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Presence {
    pub(crate) uuid: String,
    pub(crate) pacticipant: String,
    pub(crate) version: String,
    pub(crate) environment_id: i64,
    /// `''` for the unnamed instance, and for releases.
    pub(crate) instance: String,
    pub(crate) created_at: i64,
    pub(crate) ended_at: Option<i64>,
}

const DEPLOYED: &str = "SELECT d.uuid AS uuid, p.name AS pacticipant, v.number AS version, \
     d.environment_id AS environment_id, d.instance AS instance, d.created_at AS created_at, d.undeployed_at AS ended_at \
     FROM deployed_versions d JOIN versions v ON v.id = d.version_id JOIN pacticipants p ON p.id = d.pacticipant_id";
const RELEASED: &str = "SELECT r.uuid AS uuid, p.name AS pacticipant, v.number AS version, \
     r.environment_id AS environment_id, '' AS instance, r.created_at AS created_at, r.support_ended_at AS ended_at \
     FROM released_versions r JOIN versions v ON v.id = r.version_id JOIN pacticipants p ON p.id = r.pacticipant_id";

/// Records a deployment: what was there before (same environment, pacticipant and instance) is replaced. The same
/// version again is the same deployment. Returns its uuid, and whether it is new.
pub(crate) async fn deploy(
    conn: &mut Conn,
    environment: i64,
    pacticipant: i64,
    version: i64,
    instance: &str,
    now: i64,
) -> Result<(String, bool), BrokerError> {
    let current: Option<(String, i64)> = sql::query_as(
        "SELECT uuid, version_id FROM deployed_versions WHERE environment_id = $1 AND pacticipant_id = $2 AND \
         instance = $3 AND undeployed_at IS NULL",
    )
    .bind(environment)
    .bind(pacticipant)
    .bind(instance)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some((uuid, deployed)) = &current {
        if *deployed == version {
            return Ok((uuid.clone(), false));
        }
        sql::query("UPDATE deployed_versions SET undeployed_at = $2 WHERE uuid = $1")
            .bind(uuid)
            .bind(now)
            .execute(&mut *conn)
            .await?;
    }
    let uuid = uuid();
    sql::query(
        "INSERT INTO deployed_versions (uuid, version_id, pacticipant_id, environment_id, instance, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&uuid)
    .bind(version)
    .bind(pacticipant)
    .bind(environment)
    .bind(instance)
    .bind(now)
    .execute(conn)
    .await?;
    Ok((uuid, true))
}

/// Records a release, which stays beside others until its support ends. Returns its uuid, and whether it is new.
pub(crate) async fn release(
    conn: &mut Conn,
    environment: i64,
    pacticipant: i64,
    version: i64,
    now: i64,
) -> Result<(String, bool), BrokerError> {
    let present: Option<(String, Option<i64>)> = sql::query_as(
        "SELECT uuid, support_ended_at FROM released_versions WHERE environment_id = $1 AND version_id = $2",
    )
    .bind(environment)
    .bind(version)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some((uuid, ended)) = present {
        if ended.is_some() {
            sql::query("UPDATE released_versions SET support_ended_at = NULL WHERE uuid = $1")
                .bind(&uuid)
                .execute(conn)
                .await?;
        }
        return Ok((uuid, ended.is_some()));
    }
    let uuid = uuid();
    sql::query(
        "INSERT INTO released_versions (uuid, version_id, pacticipant_id, environment_id, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(&uuid)
    .bind(version)
    .bind(pacticipant)
    .bind(environment)
    .bind(now)
    .execute(conn)
    .await?;
    Ok((uuid, true))
}

/// Ends a deployment or a release now; ending it twice changes nothing.
pub(crate) async fn end(conn: &mut Conn, uuid: &str, released: bool, now: i64) -> Result<(), BrokerError> {
    let sql = if released {
        "UPDATE released_versions SET support_ended_at = $2 WHERE uuid = $1 AND support_ended_at IS NULL"
    } else {
        "UPDATE deployed_versions SET undeployed_at = $2 WHERE uuid = $1 AND undeployed_at IS NULL"
    };
    sql::query(sql).bind(uuid).bind(now).execute(conn).await?;
    Ok(())
}

pub(crate) async fn presence(conn: &mut Conn, uuid: &str, released: bool) -> Result<Presence, BrokerError> {
    let (base, key) = if released { (RELEASED, "r.uuid") } else { (DEPLOYED, "d.uuid") };
    sql::query_as(sqlx::AssertSqlSafe(format!("{base} WHERE {key} = $1")))
        .bind(uuid)
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| BrokerError::NotFound("The requested document was not found on this server.".into()))
}

/// What is current: of one environment or all, of one pacticipant or all.
pub(crate) async fn current(
    conn: &mut Conn,
    released: bool,
    environment: Option<i64>,
    pacticipant: Option<&str>,
) -> Result<Vec<Presence>, BrokerError> {
    // The inner query reads an index of what is current only; the tables hold everything that ever was.
    let (base, row, table, end) = if released {
        (RELEASED, "r.id", "released_versions", "support_ended_at")
    } else {
        (DEPLOYED, "d.id", "deployed_versions", "undeployed_at")
    };
    let place = if environment.is_some() { "AND environment_id = $1" } else { "" };
    let whose = match pacticipant {
        Some(_) => "AND pacticipant_id = (SELECT id FROM pacticipants WHERE name = $2)",
        None => "",
    };
    // Unused parameters are named in a condition that always holds, so that every form has the same two.
    let sql = format!(
        "{base} WHERE {row} IN (SELECT id FROM {table} WHERE {end} IS NULL {place} {whose}) AND \
         (CAST($1 AS BIGINT) IS NULL OR 1 = 1) AND (CAST($2 AS TEXT) IS NULL OR 1 = 1) ORDER BY {row}"
    );
    Ok(sql::query_as(sqlx::AssertSqlSafe(sql)).bind(environment).bind(pacticipant).fetch_all(conn).await?)
}

/// The current deployments or releases of one version.
pub(crate) async fn of_version(
    conn: &mut Conn,
    version: i64,
    released: bool,
) -> Result<Vec<Presence>, BrokerError> {
    let sql = if released {
        format!("{RELEASED} WHERE r.version_id = $1 AND r.support_ended_at IS NULL ORDER BY r.id")
    } else {
        format!("{DEPLOYED} WHERE d.version_id = $1 AND d.undeployed_at IS NULL ORDER BY d.id")
    };
    Ok(sql::query_as(sqlx::AssertSqlSafe(sql)).bind(version).fetch_all(conn).await?)
}
