//! What surrounds versions: their branches, their tags, where they are. Of many versions at once, since one answer of the
//! gate may show hundreds.

use std::collections::HashMap;

use super::{Conn, sql};
use crate::BrokerError;

/// What surrounds one version.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    /// Branches in the order in which it came on them.
    pub(crate) branches: Vec<Line>,
    /// Tags by name.
    pub(crate) tags: Vec<Line>,
    /// Ids of the environments it is deployed to, then of those it is released and supported in.
    pub(crate) environments: Vec<i64>,
}

/// A branch or tag, and whether the version is its newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) latest: bool,
}

const BRANCHES: &str = "SELECT w.id, b.name, bv.id = (SELECT max(x.id) FROM branch_versions x WHERE x.branch_id = b.id) \
     FROM wanted w CROSS JOIN branch_versions bv CROSS JOIN branches b WHERE bv.version_id = w.id AND b.id = bv.branch_id \
     ORDER BY bv.id";
const TAGS: &str = "SELECT w.id, t.name, NOT EXISTS (SELECT 1 FROM versions ov CROSS JOIN tags o WHERE \
     ov.pacticipant_id = v.pacticipant_id AND ov.id > v.id AND o.version_id = ov.id AND o.name = t.name) \
     FROM wanted w CROSS JOIN tags t CROSS JOIN versions v WHERE t.version_id = w.id AND v.id = w.id ORDER BY t.name";
const PRESENCE: &str = "SELECT w.id, CAST(0 AS BIGINT) AS kind, d.id AS place, d.environment_id FROM wanted w CROSS JOIN deployed_versions d \
     WHERE d.version_id = w.id AND d.undeployed_at IS NULL UNION ALL \
     SELECT w.id, CAST(1 AS BIGINT) AS kind, r.id AS place, r.environment_id FROM wanted w CROSS JOIN released_versions r \
     WHERE r.version_id = w.id AND r.support_ended_at IS NULL ORDER BY 2, 3";

/// What surrounds each of `versions`, by id; a version without anything is missing.
pub(crate) async fn around(conn: &mut Conn, versions: &[i64]) -> Result<HashMap<i64, Around>, BrokerError> {
    let mut found: HashMap<i64, Around> = HashMap::new();
    for chunk in versions.chunks(sql::LIST_MAX) {
        let query = |text: &str| {
            let wanted = sql::list(1, chunk.len(), 1);
            sqlx::AssertSqlSafe(format!("WITH wanted (id) AS (VALUES {wanted}) {text}"))
        };
        let branches: Vec<(i64, String, bool)> =
            sql::query_as(query(BRANCHES)).bind_list(chunk).fetch_all(&mut *conn).await?;
        for (version, name, latest) in branches {
            found.entry(version).or_default().branches.push(Line { name, latest });
        }
        let tags: Vec<(i64, String, bool)> =
            sql::query_as(query(TAGS)).bind_list(chunk).fetch_all(&mut *conn).await?;
        for (version, name, latest) in tags {
            found.entry(version).or_default().tags.push(Line { name, latest });
        }
        let presence: Vec<(i64, i64, i64, i64)> =
            sql::query_as(query(PRESENCE)).bind_list(chunk).fetch_all(&mut *conn).await?;
        for (version, _, _, environment) in presence {
            found.entry(version).or_default().environments.push(environment);
        }
    }
    Ok(found)
}
