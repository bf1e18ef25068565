//! Resolves selectors to versions.

use tracepact_gate::Subject;

use super::Asked;
use crate::BrokerError;
use crate::store::environments::Environment;
use crate::store::meeting::{self, VersionId};
use crate::store::pacticipants::Pacticipant;
use crate::store::versions::{Latest, Listed};
use crate::store::{Conn, environments, pacticipants, versions};

pub(super) async fn known(conn: &mut Conn, name: &str) -> Result<Pacticipant, BrokerError> {
    pacticipants::find(conn, name)
        .await?
        .ok_or_else(|| BrokerError::invalid("", format!("Pacticipant {name} not found")))
}

/// The versions that a selector means, as the judgement sees them and by id.
pub(super) async fn resolve(
    conn: &mut Conn,
    one: &Asked,
    owner: &Pacticipant,
) -> Result<(Subject, Vec<VersionId>), BrokerError> {
    let name = &owner.name;
    let one_of = |found: Option<versions::Version>| found.into_iter().map(version_id).collect::<Vec<_>>();
    let mut exact = false;
    let mut any = false;
    let wording;
    let found: Vec<VersionId>;
    if let Some(number) = &one.version {
        exact = true;
        wording = format!("version {{}} of {name}");
        found = one_of(versions::find(conn, owner.id, number).await?);
    } else if let Some(branch) = &one.branch {
        wording = format!("the latest version of {name} from branch {branch} ({{}})");
        found = one_of(versions::latest(conn, owner.id, Latest::OnBranch(branch)).await?);
    } else if let Some(tag) = &one.tag {
        if one.latest {
            wording = format!("the latest version of {name} with tag {tag} ({{}})");
            found = one_of(versions::latest(conn, owner.id, Latest::WithTag(tag)).await?);
        } else {
            wording = format!("version {{}} of {name} with tag {tag}");
            let (list, _) = versions::list(conn, owner.id, Listed::WithTag(tag), i64::MAX, 0).await?;
            found = list.into_iter().map(version_id).collect();
        }
    } else if let Some(environment) = &one.environment {
        wording = format!("the version of {name} currently in {environment} ({{}})");
        let environment = environment_named(conn, environment).await?;
        found = meeting::live(conn, environment.id, owner.id).await?;
        // What runs there is a fact, not a moving selector.
        exact = true;
    } else if one.main_branch {
        let branch = owner.main_branch.clone().unwrap_or_default();
        wording = format!("the latest version of {name} from branch {branch} ({{}})");
        found = one_of(versions::latest(conn, owner.id, Latest::OnBranch(&branch)).await?);
    } else if one.latest {
        wording = format!("the latest version of {name} ({{}})");
        found = one_of(versions::latest(conn, owner.id, Latest::Overall).await?);
    } else {
        any = true;
        wording = format!("version {{}} of {name}");
        let (list, _) = versions::list(conn, owner.id, Listed::All, i64::MAX, 0).await?;
        found = list.into_iter().map(version_id).collect();
    }
    // Nothing can be said of a version that is not there; to say yes would be wrong.
    let missing = (found.is_empty() && one.environment.is_none()).then(|| {
        let wanted = one.version.clone().or_else(|| one.branch.as_ref().map(|b| format!("from branch {b}")));
        wanted
            .or_else(|| one.tag.as_ref().map(|t| format!("with tag {t}")))
            .unwrap_or_else(|| "(none)".into())
    });
    let versions = found.iter().map(|v| v.number.clone()).collect();
    Ok((Subject { pacticipant: name.clone(), versions, wording, exact, missing, any }, found))
}

pub(super) fn version_id(version: versions::Version) -> VersionId {
    VersionId { id: version.id, number: version.number }
}

pub(super) async fn environment_named(conn: &mut Conn, name: &str) -> Result<Environment, BrokerError> {
    environments::find_by_name(conn, name)
        .await?
        .ok_or_else(|| BrokerError::invalid("", format!("Environment with name '{name}' does not exist")))
}
