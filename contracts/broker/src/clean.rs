//! Clean-up: which versions are kept, and the deletion of the others.
//!
//! What is deployed or released now is kept whatever the selectors say, and checked again in the statement that deletes.
//! So are versions whose results a live contract rests on: without them it would be unverified again.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::clean::{self, Candidate, OnLine};
use crate::store::{Conn, pacticipants};
use crate::{Broker, BrokerError};

/// A day in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;

/// Which versions to keep. All that is set has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keep {
    /// Only of this pacticipant; `None` for all.
    pub(crate) pacticipant: Option<String>,
    /// On a branch of this name, or on any.
    pub(crate) branch: Option<Line>,
    /// With a tag of this name, or with any.
    pub(crate) tag: Option<Line>,
    /// On the main branch.
    pub(crate) main_branch: bool,
    /// The head of the named lines; without one the newest version there is.
    pub(crate) latest: bool,
    /// Not older than this.
    pub(crate) max_age_days: Option<i64>,
}

/// A line by name, or whichever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Any,
    Named(String),
}

impl Keep {
    /// What is kept when nothing is said: the last 90 days, the head of every branch, the head of every tag, the newest.
    pub(crate) fn defaults() -> Vec<Self> {
        vec![
            Self { max_age_days: Some(90), ..Self::default() },
            Self { branch: Some(Line::Any), latest: true, ..Self::default() },
            Self { tag: Some(Line::Any), latest: true, ..Self::default() },
            Self { latest: true, ..Self::default() },
        ]
    }

    fn words(&self) -> String {
        let line = |what: &str, line: &Line| match line {
            Line::Any => format!("any {what}"),
            Line::Named(name) => format!("{what} {name}"),
        };
        let mut words = Vec::new();
        if self.latest {
            words.push("latest".to_owned());
        }
        words.extend(self.branch.as_ref().map(|b| line("branch", b)));
        words.extend(self.tag.as_ref().map(|t| line("tag", t)));
        if self.main_branch {
            words.push("main branch".into());
        }
        words.extend(self.max_age_days.map(|days| format!("at most {days} days old")));
        words.join(", ")
    }
}

/// What clean-up knows of one pacticipant.
struct Known {
    name: String,
    main_branch: Option<String>,
    versions: Vec<Candidate>,
    branches: BTreeMap<i64, Vec<OnLine>>,
    tags: BTreeMap<i64, Vec<OnLine>>,
}

impl Known {
    async fn of(conn: &mut Conn, name: &str) -> Result<(i64, Self), BrokerError> {
        let owner = pacticipants::get(conn, name).await?;
        let grouped = |list: Vec<OnLine>| {
            let mut by_version: BTreeMap<i64, Vec<OnLine>> = BTreeMap::new();
            for one in list {
                by_version.entry(one.version_id).or_default().push(one);
            }
            by_version
        };
        let known = Self {
            name: owner.name,
            main_branch: owner.main_branch,
            versions: clean::candidates(conn, owner.id).await?,
            branches: grouped(clean::branches(conn, owner.id).await?),
            tags: grouped(clean::tags(conn, owner.id).await?),
        };
        Ok((owner.id, known))
    }

    /// Why a version stays; `None` when it goes.
    fn reason(&self, version: &Candidate, keep: &[Keep], now: i64) -> Option<String> {
        if version.deployed {
            return Some("deployed".into());
        }
        if version.released {
            return Some("released and supported".into());
        }
        if version.verifies_live {
            return Some("has results for a contract in use".into());
        }
        keep.iter().find(|selector| self.is_kept_by(version, selector, now)).map(Keep::words)
    }

    fn is_kept_by(&self, version: &Candidate, keep: &Keep, now: i64) -> bool {
        if keep.pacticipant.as_ref().is_some_and(|name| *name != self.name) {
            return false;
        }
        if keep.max_age_days.is_some_and(|days| now - version.created_at > days.saturating_mul(DAY_NS)) {
            return false;
        }
        let main = match &self.main_branch {
            Some(main) if keep.main_branch => Some(Line::Named(main.clone())),
            None if keep.main_branch => return false,
            _ => None,
        };
        let lines = [(&keep.branch, &self.branches), (&keep.tag, &self.tags), (&main, &self.branches)];
        for (wanted, present) in lines {
            let Some(wanted) = wanted else { continue };
            let fits = |one: &OnLine| {
                (!keep.latest || one.latest)
                    && (*wanted == Line::Any || *wanted == Line::Named(one.name.clone()))
            };
            if !present.get(&version.id).is_some_and(|list| list.iter().any(fits)) {
                return false;
            }
        }
        let bare = keep.branch.is_none() && keep.tag.is_none() && main.is_none();
        !(keep.latest && bare) || self.versions.last().is_some_and(|newest| newest.id == version.id)
    }
}

/// What was done, or would be.
#[derive(Debug, Default)]
pub(crate) struct Cleaned {
    /// How many versions stay, by reason.
    pub(crate) kept: BTreeMap<String, u64>,
    /// (pacticipant, version) of what goes, oldest first in each pacticipant.
    pub(crate) deleted: Vec<(String, String)>,
    /// Versions that could go as well and stay because of the limit.
    pub(crate) left: u64,
    /// Contents that no version carries any more. Known only after a deletion.
    pub(crate) contents: u64,
    /// Branches without a version. Known only after a deletion.
    pub(crate) branches: u64,
}

impl Broker {
    /// Deletes the versions that no selector keeps, at most `limit`, or only says which (`dry_run`).
    pub(crate) async fn clean(
        &self,
        keep: &[Keep],
        limit: usize,
        dry_run: bool,
    ) -> Result<Cleaned, BrokerError> {
        let now = self.now();
        let mut read = self.store().read().await?;
        let names = pacticipants::names(&mut read).await?;
        let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        if let Some(unknown) =
            keep.iter().filter_map(|k| k.pacticipant.as_deref()).find(|n| !known.contains(n))
        {
            return Err(BrokerError::invalid("keep", format!("there is no pacticipant {unknown:?}")));
        }
        let mut cleaned = Cleaned::default();
        if dry_run {
            for name in &names {
                let (_, known) = Known::of(&mut read, name).await?;
                plan(&known, keep, now, limit, &mut cleaned);
            }
            return Ok(cleaned);
        }
        drop(read);
        // One transaction for each pacticipant: publishers get their turn in between.
        for name in &names {
            let mut write = self.store().write().await?;
            let conn = write.conn();
            let (id, known) = match Known::of(conn, name).await {
                Ok(found) => found,
                Err(BrokerError::NotFound(_)) => continue,
                Err(error) => return Err(error),
            };
            let going = plan(&known, keep, now, limit, &mut cleaned);
            if going.is_empty() {
                continue;
            }
            for version in going {
                clean::delete_unless_live(conn, version).await?;
            }
            cleaned.contents += clean::delete_orphaned_contents(conn, id).await?;
            cleaned.branches += clean::delete_empty_branches(conn, id).await?;
            self.commit(write).await?;
        }
        Ok(cleaned)
    }
}

/// Adds what is to be said of one pacticipant to `cleaned`; the ids of what goes.
fn plan(known: &Known, keep: &[Keep], now: i64, limit: usize, cleaned: &mut Cleaned) -> Vec<i64> {
    let mut going = Vec::new();
    for version in &known.versions {
        match known.reason(version, keep, now) {
            Some(reason) => *cleaned.kept.entry(reason).or_default() += 1,
            None if cleaned.deleted.len() < limit => {
                cleaned.deleted.push((known.name.clone(), version.number.clone()));
                going.push(version.id);
            }
            None => cleaned.left += 1,
        }
    }
    going
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000 * DAY_NS;

    fn version(id: i64, age_days: i64) -> Candidate {
        Candidate {
            id,
            number: id.to_string(),
            created_at: NOW - age_days * DAY_NS,
            deployed: false,
            released: false,
            verifies_live: false,
        }
    }

    fn known(versions: Vec<Candidate>, branches: &[(i64, &str, bool)]) -> Known {
        let mut by_version: BTreeMap<i64, Vec<OnLine>> = BTreeMap::new();
        for (version_id, name, latest) in branches {
            let one = OnLine { version_id: *version_id, name: (*name).to_owned(), latest: *latest };
            by_version.entry(*version_id).or_default().push(one);
        }
        Known {
            name: "p".into(),
            main_branch: Some("main".into()),
            versions,
            branches: by_version,
            tags: BTreeMap::new(),
        }
    }

    fn going(known: &Known, keep: &[Keep]) -> Vec<i64> {
        plan(known, keep, NOW, 100, &mut Cleaned::default())
    }

    #[test]
    fn what_is_live_stays_whatever_is_asked() {
        let mut versions = vec![version(1, 500), version(2, 500), version(3, 500), version(4, 500)];
        versions[0].deployed = true;
        versions[1].released = true;
        versions[2].verifies_live = true;
        assert_eq!(going(&known(versions, &[]), &[]), [4]);
    }

    #[test]
    fn the_defaults_keep_heads_and_what_is_young() {
        let known = known(
            vec![version(1, 300), version(2, 200), version(3, 120), version(4, 10), version(5, 100)],
            &[(1, "main", false), (2, "main", true), (3, "feat", true)],
        );
        assert_eq!(going(&known, &Keep::defaults()), [1]);
    }

    #[test]
    fn every_part_of_a_selector_has_to_hold() {
        let known = known(
            vec![version(1, 50), version(2, 5), version(3, 5)],
            &[(1, "main", false), (2, "main", true), (3, "feat", true)],
        );
        let main = Keep { main_branch: true, ..Keep::default() };
        assert_eq!(going(&known, std::slice::from_ref(&main)), [3]);
        let young = Keep { max_age_days: Some(10), ..main.clone() };
        assert_eq!(going(&known, &[young]), [1, 3]);
        let other = Keep { pacticipant: Some("q".into()), ..main };
        assert_eq!(going(&known, &[other]), [1, 2, 3]);
        let newest = Keep { latest: true, ..Keep::default() };
        assert_eq!(going(&known, &[newest]), [1, 2]);
        let feat = Keep { branch: Some(Line::Named("feat".into())), latest: true, ..Keep::default() };
        assert_eq!(going(&known, &[feat]), [1, 2]);
    }

    #[test]
    fn the_limit_leaves_the_rest_for_another_time() {
        let known = known(vec![version(1, 1), version(2, 1), version(3, 1)], &[]);
        let mut cleaned = Cleaned::default();
        assert_eq!(plan(&known, &[], NOW, 2, &mut cleaned), [1, 2]);
        assert_eq!((cleaned.deleted.len(), cleaned.left), (2, 1));
    }
}
