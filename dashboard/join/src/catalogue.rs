//! The service catalogue: what is configured and what was seen, joined per service.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use tracepact_base::{ServiceName, time_format::to_rfc3339};
use utoipa::ToSchema;

use crate::source::{Gathered, cut};
use crate::{Aliases, ServiceSeen, Sightings};

/// Most services in one answer.
pub const SERVICES_MAX: usize = 2_000;
/// Most versions listed per service; the most recently seen stay.
pub const VERSIONS_MAX: usize = 50;
/// Most instances listed per service; the most recently seen stay.
pub const INSTANCES_MAX: usize = 200;

/// Answer of `GET /tracepact/v1/services`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ServicesAnswer {
    /// When this was true (RFC 3339).
    #[schema(format = DateTime)]
    pub as_of: String,
    /// Whether every source answered and nothing was left out.
    pub complete: bool,
    /// Why the answer is not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The services, by name.
    pub services: Vec<Service>,
}

/// One service under all its names.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Service {
    /// The name that every page shows.
    pub name: String,
    /// Other names it goes by in spans, breakers and metrics.
    pub aliases: Vec<String>,
    /// Who is called when it is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Where its source lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Kafka consumer groups it owns: those configured and those seen.
    pub consumer_groups: Vec<String>,
    /// Its name at the contract broker, when configured or seen there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pacticipant: Option<String>,
    /// Versions seen, most recently seen first.
    pub versions: Vec<Version>,
    /// Instances seen, most recently seen first.
    pub instances: Vec<Instance>,
}

/// A version of a service that was seen at work.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Version {
    /// `service.version`.
    pub version: String,
    /// When it was first seen (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub first_seen: Option<String>,
    /// When it was last seen (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_seen: Option<String>,
}

/// An instance of a service that was seen at work.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Instance {
    /// `service.instance.id`.
    pub id: String,
    /// The version it ran when last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was last seen (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub last_seen: Option<String>,
}

/// Joins what is configured with what the sources saw, as of `now_ns`.
pub fn catalogue(aliases: &Aliases, gathered: &[Gathered<Sightings>], now_ns: u64) -> ServicesAnswer {
    let mut drafts: BTreeMap<ServiceName, Draft> = BTreeMap::new();
    for entry in aliases.entries() {
        drafts.insert(
            entry.name.clone(),
            Draft {
                groups: entry.consumer_groups.iter().cloned().collect(),
                pacticipant: entry.pacticipant.clone(),
                ..Draft::default()
            },
        );
    }
    let mut cuts: Vec<String> = cut(gathered).into_iter().collect();
    for sightings in gathered.iter().filter_map(|g| g.answer.as_ref().ok()) {
        cuts.extend(sightings.cut.clone());
        for seen in &sightings.services {
            drafts.entry(aliases.canonical(&seen.service)).or_default().see(seen);
        }
        for seen in &sightings.groups {
            if let Some(service) = aliases.service_of_group(&seen.group) {
                drafts.entry(service).or_default().groups.insert(seen.group.clone());
            }
        }
        for seen in &sightings.pacticipants {
            if let Some(service) = aliases.service_of_pacticipant(&seen.name) {
                let draft = drafts.entry(service).or_default();
                draft.pacticipant.get_or_insert_with(|| seen.name.clone());
                if draft.repository.is_none() {
                    draft.repository.clone_from(&seen.repository);
                }
            }
        }
    }
    if drafts.len() > SERVICES_MAX {
        cuts.push(format!("{SERVICES_MAX} of {} services are listed", drafts.len()));
    }
    let services: Vec<Service> =
        drafts.into_iter().take(SERVICES_MAX).map(|(name, draft)| draft.finish(&name, aliases)).collect();
    let cut = if cuts.is_empty() { None } else { Some(cuts.join("; ")) };
    ServicesAnswer { as_of: to_rfc3339(now_ns), complete: cut.is_none(), cut, services }
}

#[derive(Default)]
struct Draft {
    groups: BTreeSet<String>,
    pacticipant: Option<String>,
    repository: Option<String>,
    /// version → (first, last) seen
    versions: BTreeMap<String, (Option<u64>, Option<u64>)>,
    /// instance → (last seen, version then)
    instances: BTreeMap<String, (Option<u64>, Option<String>)>,
}

impl Draft {
    fn see(&mut self, seen: &ServiceSeen) {
        if let Some(version) = &seen.version {
            let (first, last) = self.versions.entry(version.clone()).or_default();
            *first = [*first, seen.first_seen_ns].into_iter().flatten().min();
            *last = (*last).max(seen.last_seen_ns);
        }
        if let Some(instance) = &seen.instance {
            let (last, version) = self.instances.entry(instance.clone()).or_default();
            if version.is_none() || seen.last_seen_ns >= *last {
                if seen.version.is_some() {
                    version.clone_from(&seen.version);
                }
                *last = (*last).max(seen.last_seen_ns);
            }
        }
    }

    fn finish(self, name: &ServiceName, aliases: &Aliases) -> Service {
        let entry = aliases.entry(name);
        let mut versions: Vec<_> = self.versions.into_iter().collect();
        versions.sort_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| b.0.cmp(&a.0)));
        let mut instances: Vec<_> = self.instances.into_iter().collect();
        instances.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
        Service {
            name: name.as_str().to_owned(),
            aliases: entry.map_or_else(Vec::new, |e| e.aliases.iter().map(ToString::to_string).collect()),
            team: entry.and_then(|e| e.team.clone()),
            repository: entry.and_then(|e| e.repository.clone()).or(self.repository),
            consumer_groups: self.groups.into_iter().collect(),
            pacticipant: self.pacticipant,
            versions: versions
                .into_iter()
                .take(VERSIONS_MAX)
                .map(|(version, (first, last))| Version {
                    version,
                    first_seen: first.map(to_rfc3339),
                    last_seen: last.map(to_rfc3339),
                })
                .collect(),
            instances: instances
                .into_iter()
                .take(INSTANCES_MAX)
                .map(|(id, (last, version))| Instance { id, version, last_seen: last.map(to_rfc3339) })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GroupSeen, PacticipantSeen, ServiceEntry, SourceError};

    fn seen(service: &str, version: &str, instance: &str, at: u64) -> ServiceSeen {
        ServiceSeen {
            service: ServiceName::new(service).unwrap(),
            version: Some(version.into()),
            instance: Some(instance.into()),
            first_seen_ns: Some(at),
            last_seen_ns: Some(at),
        }
    }

    fn gathered(sightings: Sightings) -> Gathered<Sightings> {
        Gathered { source: "test".into(), covers: Vec::new(), answer: Ok(sightings) }
    }

    fn orders() -> Aliases {
        Aliases::new(vec![ServiceEntry {
            aliases: vec![ServiceName::new("Orders-Web").unwrap()],
            consumer_groups: vec!["order-workers".into()],
            pacticipant: Some("Order Service".into()),
            team: Some("checkout".into()),
            ..ServiceEntry::named("orders").unwrap()
        }])
        .unwrap()
    }

    #[test]
    fn three_sources_under_three_names_are_one_service() {
        let spans = Sightings { services: vec![seen("orders-web", "1.0", "i-1", 5)], ..Sightings::default() };
        let kafka =
            Sightings { groups: vec![GroupSeen { group: "order-workers".into() }], ..Sightings::default() };
        let broker = Sightings {
            pacticipants: vec![PacticipantSeen {
                name: "order service".into(),
                repository: Some("https://example.org/orders".into()),
            }],
            ..Sightings::default()
        };
        let answer = catalogue(&orders(), &[gathered(spans), gathered(kafka), gathered(broker)], 9);
        assert!(answer.complete);
        let [orders] = answer.services.as_slice() else { panic!("one service: {answer:?}") };
        assert_eq!(orders.name, "orders");
        assert_eq!(orders.consumer_groups, ["order-workers"]);
        assert_eq!(orders.pacticipant.as_deref(), Some("Order Service"));
        assert_eq!(orders.repository.as_deref(), Some("https://example.org/orders"));
        assert_eq!(orders.team.as_deref(), Some("checkout"));
        assert_eq!(orders.versions[0].version, "1.0");
        assert_eq!(orders.instances[0].id, "i-1");
    }

    #[test]
    fn versions_span_first_to_last_and_an_instance_keeps_its_newest_version() {
        let sightings = Sightings {
            services: vec![
                seen("orders", "2", "i-1", 30),
                seen("orders", "1", "i-1", 10),
                seen("orders", "1", "i-2", 20),
            ],
            ..Sightings::default()
        };
        let answer = catalogue(&Aliases::default(), &[gathered(sightings)], 40);
        let orders = &answer.services[0];
        let versions: Vec<_> = orders.versions.iter().map(|v| v.version.as_str()).collect();
        assert_eq!(versions, ["2", "1"]);
        assert_eq!(orders.versions[1].first_seen, Some(to_rfc3339(10)));
        assert_eq!(orders.versions[1].last_seen, Some(to_rfc3339(20)));
        assert_eq!(orders.instances[0].id, "i-1");
        assert_eq!(orders.instances[0].version.as_deref(), Some("2"));
    }

    #[test]
    fn a_silent_source_is_named() {
        let failed = Gathered {
            source: "broker".into(),
            covers: Vec::new(),
            answer: Err(SourceError::new("timeout")),
        };
        let answer = catalogue(&orders(), &[failed], 0);
        assert!(!answer.complete);
        assert_eq!(answer.cut.as_deref(), Some("broker did not answer: timeout"));
        assert_eq!(answer.services.len(), 1, "what is configured is still listed");
        assert!(answer.services[0].instances.is_empty());
    }
}
