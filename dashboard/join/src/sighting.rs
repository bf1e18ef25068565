//! What was seen of services, consumer groups and pacticipants, by whoever saw it.

use tracepact_base::ServiceName;

/// Everything one source saw.
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    /// Services seen in spans, breakers or metrics; a service may occur many times.
    pub services: Vec<ServiceSeen>,
    /// Consumer groups seen at the Kafka cluster.
    pub groups: Vec<GroupSeen>,
    /// Pacticipants known to the broker.
    pub pacticipants: Vec<PacticipantSeen>,
    /// Why the list is not whole, when the source had to stop early.
    pub cut: Option<String>,
}

/// A service, perhaps one instance or version of it.
#[derive(Debug, Clone)]
pub struct ServiceSeen {
    /// The service under the name it gave.
    pub service: ServiceName,
    /// `service.version`, when it said so.
    pub version: Option<String>,
    /// `service.instance.id`, when it said so.
    pub instance: Option<String>,
    /// When it was first seen, nanoseconds since 1970.
    pub first_seen_ns: Option<u64>,
    /// When it was last seen, nanoseconds since 1970.
    pub last_seen_ns: Option<u64>,
}

/// A consumer group.
#[derive(Debug, Clone)]
pub struct GroupSeen {
    /// Its name.
    pub group: String,
}

/// A pacticipant.
#[derive(Debug, Clone)]
pub struct PacticipantSeen {
    /// Its name at the broker.
    pub name: String,
    /// Where its source lives, as the broker was told.
    pub repository: Option<String>,
}
