//! The alias table: one service, the names it goes by in spans, its consumer groups and its name at the broker.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use tracepact_base::{NameError, ServiceName};

/// What the configuration says about one service (`[[services]]`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// The name that every page shows.
    pub name: ServiceName,
    /// Other names of the same service in spans, breakers and metrics.
    #[serde(default)]
    pub aliases: Vec<ServiceName>,
    /// Kafka consumer groups that the service owns. Groups compare exactly, as Kafka does.
    #[serde(default)]
    pub consumer_groups: Vec<String>,
    /// Its name at the contract broker, when that differs.
    #[serde(default)]
    pub pacticipant: Option<String>,
    /// Who is called when it is broken.
    #[serde(default)]
    pub team: Option<String>,
    /// Where its source lives (an address).
    #[serde(default)]
    pub repository: Option<String>,
}

impl ServiceEntry {
    /// An entry that knows only the name.
    pub fn named(name: &str) -> Result<Self, NameError> {
        Ok(Self {
            name: ServiceName::new(name)?,
            aliases: Vec::new(),
            consumer_groups: Vec::new(),
            pacticipant: None,
            team: None,
            repository: None,
        })
    }
}

/// Why a set of entries is no alias table: one name would mean two services.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// A service name or alias is claimed twice.
    #[error("the service name {name:?} is claimed by {first} and by {second}")]
    Name {
        /// The name.
        name: String,
        /// Who claimed it first.
        first: ServiceName,
        /// Who claimed it again.
        second: ServiceName,
    },
    /// A consumer group is claimed twice.
    #[error("the consumer group {group:?} is claimed by {first} and by {second}")]
    Group {
        /// The group.
        group: String,
        /// Who claimed it first.
        first: ServiceName,
        /// Who claimed it again.
        second: ServiceName,
    },
    /// A pacticipant is claimed twice.
    #[error("the pacticipant {pacticipant:?} is claimed by {first} and by {second}")]
    Pacticipant {
        /// The pacticipant.
        pacticipant: String,
        /// Who claimed it first.
        first: ServiceName,
        /// Who claimed it again.
        second: ServiceName,
    },
}

/// Joins service, consumer group and pacticipant in all directions.
///
/// What no entry claims joins by equal names, without regard to case: a group `payments` belongs to the service
/// `payments`. A claim always wins over an equal name.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    entries: BTreeMap<ServiceName, ServiceEntry>,
    by_name: HashMap<ServiceName, ServiceName>,
    by_group: HashMap<String, ServiceName>,
    by_pacticipant: HashMap<String, ServiceName>,
}

impl Aliases {
    /// The table of `entries`.
    ///
    /// # Errors
    /// When a name, group or pacticipant is claimed by two services.
    pub fn new(entries: Vec<ServiceEntry>) -> Result<Self, AliasError> {
        let mut table = Self::default();
        for entry in entries {
            for name in std::iter::once(&entry.name).chain(&entry.aliases) {
                let before = table.by_name.insert(name.clone(), entry.name.clone());
                // A service may repeat its own name in its aliases; two entries of one name are a mistake.
                if let Some(first) =
                    before.filter(|b| *b != entry.name || table.entries.contains_key(&entry.name))
                {
                    return Err(AliasError::Name { name: name.to_string(), first, second: entry.name });
                }
            }
            for group in &entry.consumer_groups {
                let before = table.by_group.insert(group.clone(), entry.name.clone());
                if let Some(first) = before.filter(|b| *b != entry.name) {
                    return Err(AliasError::Group { group: group.clone(), first, second: entry.name });
                }
            }
            if let Some(pacticipant) = &entry.pacticipant {
                let before = table.by_pacticipant.insert(pacticipant.to_lowercase(), entry.name.clone());
                if let Some(first) = before {
                    let pacticipant = pacticipant.clone();
                    return Err(AliasError::Pacticipant { pacticipant, first, second: entry.name });
                }
            }
            table.entries.insert(entry.name.clone(), entry);
        }
        Ok(table)
    }

    /// The configured entries, by name.
    pub fn entries(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.entries.values()
    }

    /// The entry of a service, under any of its names.
    pub fn entry(&self, name: &ServiceName) -> Option<&ServiceEntry> {
        self.entries.get(self.by_name.get(name)?)
    }

    /// The one name of the service that `name` (its own or an alias) means.
    pub fn canonical(&self, name: &ServiceName) -> ServiceName {
        self.by_name.get(name).unwrap_or(name).clone()
    }

    /// Every name that spans of a service may carry, the one that pages show first.
    pub fn names_of(&self, service: &ServiceName) -> Vec<ServiceName> {
        let mut names = vec![self.canonical(service)];
        if let Some(entry) = self.entry(service) {
            names.extend(entry.aliases.iter().filter(|alias| **alias != entry.name).cloned());
        }
        names
    }

    /// The service that owns a consumer group; `None` when the group's name cannot be a service's.
    pub fn service_of_group(&self, group: &str) -> Option<ServiceName> {
        if let Some(service) = self.by_group.get(group) {
            return Some(service.clone());
        }
        ServiceName::new(group).ok().map(|name| self.canonical(&name))
    }

    /// The service that a pacticipant of the broker is; `None` when its name cannot be a service's.
    pub fn service_of_pacticipant(&self, pacticipant: &str) -> Option<ServiceName> {
        if let Some(service) = self.by_pacticipant.get(&pacticipant.to_lowercase()) {
            return Some(service.clone());
        }
        ServiceName::new(pacticipant).ok().map(|name| self.canonical(&name))
    }

    /// The consumer groups that a service claims, else the group of its own name unless another service claims that.
    pub fn groups_of(&self, service: &ServiceName) -> Vec<String> {
        let service = self.canonical(service);
        match self.entries.get(&service) {
            Some(entry) if !entry.consumer_groups.is_empty() => entry.consumer_groups.clone(),
            _ if self.by_group.contains_key(service.as_str()) => Vec::new(),
            _ => vec![service.as_str().to_owned()],
        }
    }

    /// What a service is called at the broker: what it claims, else its own name unless another service claims that.
    pub fn pacticipant_of(&self, service: &ServiceName) -> Option<String> {
        let service = self.canonical(service);
        match self.entries.get(&service).and_then(|e| e.pacticipant.clone()) {
            Some(claimed) => Some(claimed),
            None if self.by_pacticipant.contains_key(service.key()) => None,
            None => Some(service.as_str().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ServiceName {
        ServiceName::new(text).unwrap()
    }

    fn table() -> Aliases {
        Aliases::new(vec![
            ServiceEntry {
                aliases: vec![name("Orders-Web"), name("order-api")],
                consumer_groups: vec!["order-workers".into(), "order-replies".into()],
                pacticipant: Some("Order Service".into()),
                ..ServiceEntry::named("orders").unwrap()
            },
            ServiceEntry::named("payments").unwrap(),
        ])
        .unwrap()
    }

    #[test]
    fn from_a_service_to_its_groups_and_pacticipant() {
        let table = table();
        for known_as in ["orders", "ORDERS", "orders-web", "Order-API"] {
            assert_eq!(table.canonical(&name(known_as)), name("orders"));
            assert_eq!(table.groups_of(&name(known_as)), ["order-workers", "order-replies"]);
            assert_eq!(table.pacticipant_of(&name(known_as)).unwrap(), "Order Service");
        }
    }

    #[test]
    fn from_a_group_to_its_service_and_pacticipant() {
        let table = table();
        let service = table.service_of_group("order-replies").unwrap();
        assert_eq!(service, name("orders"));
        assert_eq!(table.pacticipant_of(&service).unwrap(), "Order Service");
        // Kafka's groups compare exactly: another case is another group, and joins by name alone.
        assert_eq!(table.service_of_group("Order-Replies").unwrap(), name("order-replies"));
    }

    #[test]
    fn from_a_pacticipant_to_its_service_and_groups() {
        let table = table();
        let service = table.service_of_pacticipant("order service").unwrap();
        assert_eq!(service, name("orders"));
        assert_eq!(table.groups_of(&service), ["order-workers", "order-replies"]);
        assert_eq!(table.service_of_pacticipant("Orders-Web").unwrap(), name("orders"));
    }

    #[test]
    fn what_nobody_claims_joins_by_equal_names() {
        let table = table();
        for known in ["payments", "deliveries"] {
            let service = name(known);
            assert_eq!(table.service_of_group(known).unwrap(), service);
            assert_eq!(table.service_of_pacticipant(known).unwrap(), service);
            assert_eq!(table.groups_of(&service), [known]);
            assert_eq!(table.pacticipant_of(&service).unwrap(), known);
        }
    }

    #[test]
    fn a_claim_wins_over_an_equal_name() {
        let table = Aliases::new(vec![ServiceEntry {
            consumer_groups: vec!["billing".into()],
            pacticipant: Some("Billing".into()),
            ..ServiceEntry::named("payments").unwrap()
        }])
        .unwrap();
        assert_eq!(table.service_of_group("billing").unwrap(), name("payments"));
        assert_eq!(table.groups_of(&name("billing")), Vec::<String>::new());
        assert_eq!(table.pacticipant_of(&name("billing")), None);
    }

    #[test]
    fn one_name_for_two_services_is_refused() {
        let entry = |n: &str| ServiceEntry::named(n).unwrap();
        let twice = Aliases::new(vec![entry("a"), entry("A")]);
        assert!(matches!(twice, Err(AliasError::Name { .. })));
        let alias = Aliases::new(vec![entry("a"), ServiceEntry { aliases: vec![name("A")], ..entry("b") }]);
        assert!(matches!(alias, Err(AliasError::Name { .. })));
        let group = |n| ServiceEntry { consumer_groups: vec!["g".into()], ..entry(n) };
        assert!(matches!(Aliases::new(vec![group("a"), group("b")]), Err(AliasError::Group { .. })));
        let pact = |n| ServiceEntry { pacticipant: Some("P".into()), ..entry(n) };
        assert!(matches!(Aliases::new(vec![pact("a"), pact("b")]), Err(AliasError::Pacticipant { .. })));
        let own = ServiceEntry { aliases: vec![name("A")], ..entry("a") };
        assert!(Aliases::new(vec![own]).is_ok(), "a service may repeat its own name");
    }
}
