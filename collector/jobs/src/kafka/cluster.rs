//! The brokers of one cluster, a connection each, and who leads what.

use std::collections::{BTreeMap, HashMap};

use super::Place;
use super::connection::{Connection, Limits, WireError};
use super::requests::Fetched;

/// A topic as the metadata tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicInfo {
    /// Changes when the topic is deleted and created again; nil before Kafka 2.8.
    pub(crate) id: uuid::Uuid,
    /// Partition → its leader; partitions without one are absent.
    pub(crate) leaders: BTreeMap<i32, i32>,
}

/// A cluster, asked through one persistent connection per broker.
#[derive(Debug)]
pub(crate) struct Cluster {
    bootstrap: Vec<String>,
    limits: Limits,
    addresses: BTreeMap<i32, String>,
    connections: HashMap<i32, Connection>,
    topics: BTreeMap<String, TopicInfo>,
}

impl Cluster {
    pub(crate) fn new(bootstrap: &str, limits: Limits) -> Self {
        let bootstrap =
            bootstrap.split(',').map(str::trim).filter(|a| !a.is_empty()).map(str::to_owned).collect();
        Self {
            bootstrap,
            limits,
            addresses: BTreeMap::new(),
            connections: HashMap::new(),
            topics: BTreeMap::new(),
        }
    }

    /// The topics of the last metadata, without Kafka's own.
    pub(crate) fn topics(&self) -> &BTreeMap<String, TopicInfo> {
        &self.topics
    }

    /// The brokers of the last metadata.
    pub(crate) fn nodes(&self) -> Vec<i32> {
        self.addresses.keys().copied().collect()
    }

    /// Every partition that has a leader.
    pub(crate) fn places(&self) -> Vec<Place> {
        let partitions = |(topic, info): (&String, &TopicInfo)| {
            let topic = topic.clone();
            info.leaders.keys().map(move |partition| (topic.clone(), *partition)).collect::<Vec<_>>()
        };
        self.topics.iter().flat_map(partitions).collect()
    }

    /// Asks any broker for the metadata, connected ones first.
    pub(crate) async fn refresh(&mut self) -> Result<(), WireError> {
        let mut reasons = Vec::new();
        for node in self.nodes() {
            match self.on(node, async |connection| connection.metadata().await).await {
                Ok(metadata) => {
                    self.learn(metadata);
                    return Ok(());
                }
                Err(error) => reasons.push(error.to_string()),
            }
        }
        for address in self.bootstrap.clone() {
            let asked = match Connection::open(&address, self.limits).await {
                Ok(mut connection) => connection.metadata().await,
                Err(error) => Err(error),
            };
            match asked {
                Ok(metadata) => {
                    self.learn(metadata);
                    return Ok(());
                }
                Err(error) => reasons.push(error.to_string()),
            }
        }
        reasons.dedup();
        Err(WireError::NoBroker(reasons.join("; ")))
    }

    fn learn(&mut self, metadata: kafka_protocol::messages::MetadataResponse) {
        let address = |host: &str, port: i32| {
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        };
        let addresses: BTreeMap<i32, String> =
            metadata.brokers.iter().map(|b| (b.node_id.0, address(&b.host, b.port))).collect();
        self.connections.retain(|node, _| addresses.get(node) == self.addresses.get(node));
        self.addresses = addresses;
        self.topics = metadata
            .topics
            .into_iter()
            .filter(|topic| topic.error_code == 0 && !topic.is_internal)
            .filter_map(|topic| {
                let led = topic.partitions.iter().filter(|p| p.leader_id.0 >= 0);
                let leaders = led.map(|p| (p.partition_index, p.leader_id.0)).collect();
                Some((topic.name?.to_string(), TopicInfo { id: topic.topic_id, leaders }))
            })
            .collect();
    }

    /// Does something on the connection to `node`; an error closes it, so that the next use opens a fresh one.
    pub(crate) async fn on<T>(
        &mut self,
        node: i32,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        let mut connection = match self.connections.remove(&node) {
            Some(connection) => connection,
            None => {
                let address = self.addresses.get(&node);
                let address =
                    address.ok_or_else(|| WireError::NoBroker(format!("broker {node} is unknown")))?;
                Connection::open(address, self.limits).await?
            }
        };
        let done = work(&mut connection).await?;
        self.connections.insert(node, connection);
        Ok(done)
    }

    fn by_leader(&self, places: &[(Place, i64)]) -> BTreeMap<i32, Vec<(Place, i64)>> {
        let mut leaders = BTreeMap::<i32, Vec<(Place, i64)>>::new();
        for (place, value) in places {
            let leader = self.topics.get(&place.0).and_then(|topic| topic.leaders.get(&place.1));
            if let Some(leader) = leader {
                leaders.entry(*leader).or_default().push((place.clone(), *value));
            }
        }
        leaders
    }

    /// Offsets at times (-1 for the end, -2 for the start), one request per leader. What is missing is unknown.
    pub(crate) async fn offsets(
        &mut self,
        places: &[(Place, i64)],
    ) -> Result<BTreeMap<Place, i64>, WireError> {
        let mut found = BTreeMap::new();
        for (leader, places) in self.by_leader(places) {
            found.extend(self.on(leader, async |c| c.offsets(&places).await).await?);
        }
        Ok(found)
    }

    /// What follows these offsets, one request per leader.
    pub(crate) async fn fetch(
        &mut self,
        places: &[(Place, i64)],
        bytes_max: i32,
    ) -> Result<BTreeMap<Place, Fetched>, WireError> {
        let mut found = BTreeMap::new();
        for (leader, places) in self.by_leader(places) {
            found.extend(self.on(leader, async |c| c.fetch(&places, bytes_max).await).await?);
        }
        Ok(found)
    }

    /// Every commit of one group, asked of its coordinator.
    pub(crate) async fn commits_of(&mut self, group: &str) -> Result<BTreeMap<Place, i64>, WireError> {
        let any = self.nodes().first().copied();
        let any = any.ok_or_else(|| WireError::NoBroker("no broker is known yet".to_owned()))?;
        let node = self.on(any, async |c| c.coordinator(group).await).await?;
        let groups = [group.to_owned()];
        let mut found = self.on(node, async |c| c.commits(&groups).await).await?;
        found.remove(group).ok_or(WireError::Code { what: "OffsetFetch", code: -1 })
    }
}
