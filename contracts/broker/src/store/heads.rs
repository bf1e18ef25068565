//! The newest publication of every pair, by branch or tag, and those in use: found from the pairs, one step of an index for
//! each, so that the cost follows the number of consumers and not the length of the history.

use super::pacts::{Published, Which};
use super::{Conn, sql};
use crate::BrokerError;

/// Providers and their consumers, found by skipping through an index: a distinct list would read every pact. The provider
/// is the first parameter; `consumer_id` of each provider's last row is NULL.
pub(super) fn pairs(one_provider: bool) -> &'static str {
    if one_provider {
        "pairs (provider_id, consumer_id) AS (\
         SELECT CAST($1 AS BIGINT), (SELECT min(p.consumer_id) FROM pacts p WHERE p.provider_id = $1) UNION ALL \
         SELECT provider_id, (SELECT min(p.consumer_id) FROM pacts p WHERE p.provider_id = pairs.provider_id AND \
         p.consumer_id > pairs.consumer_id) FROM pairs WHERE consumer_id IS NOT NULL)"
    } else {
        "providers (id) AS (SELECT min(p.provider_id) FROM pacts p WHERE CAST($1 AS BIGINT) IS NULL UNION ALL \
         SELECT (SELECT min(p.provider_id) FROM pacts p WHERE p.provider_id > providers.id) FROM providers WHERE id IS NOT NULL), \
         pairs (provider_id, consumer_id) AS (\
         SELECT id, (SELECT min(p.consumer_id) FROM pacts p WHERE p.provider_id = providers.id) FROM providers \
         WHERE id IS NOT NULL UNION ALL \
         SELECT provider_id, (SELECT min(p.consumer_id) FROM pacts p WHERE p.provider_id = pairs.provider_id AND \
         p.consumer_id > pairs.consumer_id) FROM pairs WHERE consumer_id IS NOT NULL)"
    }
}

/// The version of `branch` (an alias with an id) added last that has a pact with the pair's provider. A version that only
/// a verification of the consumer itself put on the branch does not hide the pacts before it.
const NEWEST_ON_BRANCH: &str = "SELECT k.provider_id AS provider_id, (SELECT bv.version_id FROM branch_versions bv WHERE \
     bv.branch_id = b.id AND EXISTS (SELECT 1 FROM pacts h WHERE h.version_id = bv.version_id AND \
     h.provider_id = k.provider_id) ORDER BY bv.id DESC LIMIT 1) AS version_id \
     FROM pairs k CROSS JOIN pacticipants o JOIN branches b ON b.pacticipant_id = o.id WHERE o.id = k.consumer_id";

/// Work in progress starts at new contents, of which there are few, and asks of each publication whether anything newer on
/// its branch, or with its tag, has a pact with the provider.
const HEADS_SINCE: &str = "SELECT p.provider_id AS provider_id, p.version_id AS version_id FROM contents n CROSS JOIN pacts p \
     WHERE n.provider_id = $1 AND n.created_at >= $4 AND p.content_row = n.id AND (EXISTS (SELECT 1 FROM branch_versions bv \
     WHERE bv.version_id = p.version_id AND NOT EXISTS (SELECT 1 FROM branch_versions nb JOIN pacts np ON \
     np.version_id = nb.version_id WHERE nb.branch_id = bv.branch_id AND nb.id > bv.id AND \
     np.provider_id = p.provider_id)) OR EXISTS (SELECT 1 FROM tags t WHERE t.version_id = p.version_id AND NOT EXISTS \
     (SELECT 1 FROM pacts np JOIN tags nt ON nt.version_id = np.version_id WHERE nt.name = t.name AND \
     np.provider_id = p.provider_id AND np.consumer_id = p.consumer_id AND np.version_id > p.version_id)))";

/// Publications that are heads or in use; `None` for what is asked of the whole history.
pub(super) async fn heads(
    conn: &mut Conn,
    provider: Option<i64>,
    consumer: Option<&str>,
    which: Which<'_>,
) -> Result<Option<Vec<Published>>, BrokerError> {
    let Some(statement) = statement(provider.is_some(), which) else { return Ok(None) };
    let name = match which {
        Which::LatestOnBranch(name) | Which::LatestWithTag(name) => Some(name),
        _ => None,
    };
    let number = match which {
        Which::Deployed(environment) | Which::Released(environment) => environment,
        Which::HeadsSince(at) => Some(at),
        _ => None,
    };
    let rows = sql::query_as(sqlx::AssertSqlSafe(statement))
        .bind(provider)
        .bind(consumer)
        .bind(name)
        .bind(number)
        .fetch_all(conn)
        .await?;
    Ok(Some(rows))
}

/// The query, with provider, consumer, branch or tag, and environment or instant as its parameters.
fn statement(one_provider: bool, which: Which<'_>) -> Option<String> {
    let found = match which {
        Which::Latest => "SELECT k.provider_id AS provider_id, (SELECT max(h.version_id) FROM pacts h WHERE \
             h.provider_id = k.provider_id AND h.consumer_id = k.consumer_id) AS version_id FROM pairs k"
            .to_owned(),
        Which::LatestOnMainBranch => format!("{NEWEST_ON_BRANCH} AND b.name = o.main_branch"),
        Which::LatestOnBranch(_) => format!("{NEWEST_ON_BRANCH} AND b.name = $3"),
        Which::LatestWithTag(_) => "SELECT k.provider_id AS provider_id, (SELECT h.version_id FROM pacts h WHERE \
             h.provider_id = k.provider_id AND h.consumer_id = k.consumer_id AND EXISTS (SELECT 1 FROM tags t WHERE \
             t.version_id = h.version_id AND t.name = $3) ORDER BY h.version_id DESC LIMIT 1) AS version_id FROM pairs k"
            .to_owned(),
        Which::Deployed(_) => "SELECT DISTINCT k.provider_id AS provider_id, d.version_id AS version_id FROM pairs k \
             CROSS JOIN deployed_versions d WHERE d.pacticipant_id = k.consumer_id AND d.undeployed_at IS NULL AND \
             (CAST($4 AS BIGINT) IS NULL OR d.environment_id = $4)"
            .to_owned(),
        Which::Released(_) => "SELECT DISTINCT k.provider_id AS provider_id, r.version_id AS version_id FROM pairs k \
             CROSS JOIN released_versions r WHERE r.pacticipant_id = k.consumer_id AND r.support_ended_at IS NULL AND \
             (CAST($4 AS BIGINT) IS NULL OR r.environment_id = $4)"
            .to_owned(),
        Which::HeadsSince(_) => HEADS_SINCE.to_owned(),
        Which::All
        | Which::LatestUntagged
        | Which::OnMainBranch
        | Which::OnBranch(_)
        | Which::WithTag(_) => return None,
    };
    // Unused parameters are named in a condition that always holds, so that every form has the same four.
    Some(format!(
        "WITH RECURSIVE {}, found (provider_id, version_id) AS MATERIALIZED ({found}) \
         SELECT c.name AS consumer, c.id AS consumer_id, v.number AS version, v.id AS version_id, pr.name AS provider, pr.id AS provider_id, \
         k.id AS content_row, k.content_id AS content_id, p.created_at AS created_at, c.main_branch AS main_branch, \
         k.created_at AS content_since FROM found f CROSS JOIN pacts p JOIN versions v ON v.id = p.version_id \
         JOIN pacticipants c ON c.id = p.consumer_id JOIN pacticipants pr ON pr.id = p.provider_id \
         JOIN contents k ON k.id = p.content_row WHERE p.version_id = f.version_id AND p.provider_id = f.provider_id AND \
         (CAST($2 AS TEXT) IS NULL OR c.name = $2) AND (CAST($3 AS TEXT) IS NULL OR 1 = 1) AND \
         (CAST($4 AS BIGINT) IS NULL OR 1 = 1) ORDER BY v.id DESC, p.provider_id",
        pairs(one_provider)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;
    use crate::store::Store;

    /// Guarantees: no step of a hot question reads a table from end to end, so its cost does not follow the history.
    #[tokio::test]
    async fn every_step_is_a_search_of_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::File(dir.path().join("contracts.db"))).await.unwrap();
        let mut conn = store.read().await.unwrap();
        for which in [
            Which::Latest,
            Which::LatestOnMainBranch,
            Which::LatestOnBranch("b"),
            Which::LatestWithTag("t"),
            Which::Deployed(None),
            Which::Deployed(Some(1)),
            Which::Released(Some(1)),
            Which::HeadsSince(1),
        ] {
            let plan: Vec<(i64, i64, i64, String)> = sql::query_as(sqlx::AssertSqlSafe(format!(
                "EXPLAIN QUERY PLAN {}",
                statement(true, which).unwrap()
            )))
            .bind(1i64)
            .bind(None::<String>)
            .bind("x")
            .bind(1i64)
            .fetch_all(&mut conn)
            .await
            .unwrap();
            assert!(!plan.is_empty());
            for (.., step) in plan {
                // The recursive tables hold the pairs that were found, nothing else may be scanned.
                let scanned = step.strip_prefix("SCAN ").map(|rest| rest.split(' ').next().unwrap_or(rest));
                assert!(
                    scanned.is_none_or(|table| ["CONSTANT", "pairs", "k", "f"].contains(&table)),
                    "{which:?}: {step}"
                );
            }
        }
    }
}
