//! The shapes of the requests that are offered, field by field as the protocol guide lists them.

use kafka_protocol::messages::ApiKey;

use super::{Field, Kind};

const BYTE: Kind = Kind::Fixed(1);
const I16: Kind = Kind::Fixed(2);
const I32: Kind = Kind::Fixed(4);
const I64: Kind = Kind::Fixed(8);
const UUID: Kind = Kind::Fixed(16);
const TEXT: Kind = Kind::Text;
const BLOB: Kind = Kind::Blob;
const I32S: Kind = Kind::Numbers(4);
const TEXTS: Kind = Kind::Texts;

const fn f(kind: Kind) -> Field {
    between(0, i16::MAX, kind)
}

const fn since(since: i16, kind: Kind) -> Field {
    between(since, i16::MAX, kind)
}

const fn until(until: i16, kind: Kind) -> Field {
    between(0, until, kind)
}

const fn between(since: i16, until: i16, kind: Kind) -> Field {
    Field { kind, since, until }
}

/// The first flexible version and the fields of a request; `None` when it is not offered.
pub(super) fn of(api: ApiKey) -> Option<(i16, &'static [Field])> {
    Some(match api {
        ApiKey::Produce => (9, PRODUCE),
        ApiKey::Fetch => (12, FETCH),
        ApiKey::ListOffsets => (6, LIST_OFFSETS),
        ApiKey::Metadata => (9, METADATA),
        ApiKey::OffsetCommit => (8, OFFSET_COMMIT),
        ApiKey::OffsetFetch => (6, OFFSET_FETCH),
        ApiKey::FindCoordinator => (3, FIND_COORDINATOR),
        ApiKey::JoinGroup => (6, JOIN_GROUP),
        ApiKey::Heartbeat => (4, HEARTBEAT),
        ApiKey::LeaveGroup => (4, LEAVE_GROUP),
        ApiKey::SyncGroup => (4, SYNC_GROUP),
        ApiKey::DescribeGroups => (5, DESCRIBE_GROUPS),
        ApiKey::ListGroups => (3, LIST_GROUPS),
        ApiKey::ApiVersions => (3, API_VERSIONS),
        ApiKey::CreateTopics => (5, CREATE_TOPICS),
        ApiKey::DeleteTopics => (4, DELETE_TOPICS),
        ApiKey::DeleteRecords => (2, DELETE_RECORDS),
        ApiKey::InitProducerId => (2, INIT_PRODUCER_ID),
        ApiKey::DescribeConfigs => (4, DESCRIBE_CONFIGS),
        ApiKey::CreatePartitions => (2, CREATE_PARTITIONS),
        ApiKey::DeleteGroups => (2, DELETE_GROUPS),
        ApiKey::DescribeCluster => (0, DESCRIBE_CLUSTER),
        _ => return None,
    })
}

const PRODUCE: &[Field] =
    &[f(TEXT), f(I16), f(I32), f(Kind::List(&[f(TEXT), f(Kind::List(&[f(I32), f(BLOB)]))]))];
const FETCH: &[Field] = &[
    f(I32),
    f(I32),
    f(I32),
    f(I32),
    f(BYTE),
    since(7, I32),
    since(7, I32),
    f(Kind::List(&[f(TEXT), f(Kind::List(FETCH_PARTITION))])),
    since(7, Kind::List(&[f(TEXT), f(I32S)])),
    since(11, TEXT),
];
const FETCH_PARTITION: &[Field] = &[f(I32), since(9, I32), f(I64), since(12, I32), since(5, I64), f(I32)];
const LIST_OFFSETS: &[Field] =
    &[f(I32), since(2, BYTE), f(Kind::List(&[f(TEXT), f(Kind::List(&[f(I32), since(4, I32), f(I64)]))]))];
const METADATA: &[Field] =
    &[f(Kind::List(&[since(10, UUID), f(TEXT)])), since(4, BYTE), between(8, 10, BYTE), since(8, BYTE)];
const OFFSET_COMMIT: &[Field] = &[
    f(TEXT),
    f(I32),
    f(TEXT),
    since(7, TEXT),
    until(4, I64),
    f(Kind::List(&[f(TEXT), f(Kind::List(&[f(I32), f(I64), since(6, I32), f(TEXT)]))])),
];
const OFFSET_FETCH_TOPIC: &[Field] = &[f(TEXT), f(I32S)];
const OFFSET_FETCH: &[Field] = &[
    until(7, TEXT),
    until(7, Kind::List(OFFSET_FETCH_TOPIC)),
    since(8, Kind::List(&[f(TEXT), f(Kind::List(OFFSET_FETCH_TOPIC))])),
    since(7, BYTE),
];
const FIND_COORDINATOR: &[Field] = &[until(3, TEXT), since(1, BYTE), since(4, TEXTS)];
const JOIN_GROUP: &[Field] = &[
    f(TEXT),
    f(I32),
    since(1, I32),
    f(TEXT),
    since(5, TEXT),
    f(TEXT),
    f(Kind::List(&[f(TEXT), f(BLOB)])),
    since(8, TEXT),
];
const HEARTBEAT: &[Field] = &[f(TEXT), f(I32), f(TEXT), since(3, TEXT)];
const LEAVE_GROUP: &[Field] =
    &[f(TEXT), until(2, TEXT), since(3, Kind::List(&[f(TEXT), f(TEXT), since(5, TEXT)]))];
const SYNC_GROUP: &[Field] = &[
    f(TEXT),
    f(I32),
    f(TEXT),
    since(3, TEXT),
    since(5, TEXT),
    since(5, TEXT),
    f(Kind::List(&[f(TEXT), f(BLOB)])),
];
const DESCRIBE_GROUPS: &[Field] = &[f(TEXTS), since(3, BYTE)];
const LIST_GROUPS: &[Field] = &[since(4, TEXTS), since(5, TEXTS)];
const API_VERSIONS: &[Field] = &[since(3, TEXT), since(3, TEXT)];
const CREATE_TOPICS: &[Field] = &[
    f(Kind::List(&[
        f(TEXT),
        f(I32),
        f(I16),
        f(Kind::List(&[f(I32), f(I32S)])),
        f(Kind::List(&[f(TEXT), f(TEXT)])),
    ])),
    f(I32),
    since(1, BYTE),
];
const DELETE_TOPICS: &[Field] = &[until(5, TEXTS), since(6, Kind::List(&[f(TEXT), f(UUID)])), f(I32)];
const DELETE_RECORDS: &[Field] = &[f(Kind::List(&[f(TEXT), f(Kind::List(&[f(I32), f(I64)]))])), f(I32)];
const INIT_PRODUCER_ID: &[Field] = &[f(TEXT), f(I32), since(3, I64), since(3, I16)];
const DESCRIBE_CONFIGS: &[Field] =
    &[f(Kind::List(&[f(BYTE), f(TEXT), f(TEXTS)])), since(1, BYTE), since(3, BYTE)];
const CREATE_PARTITIONS: &[Field] =
    &[f(Kind::List(&[f(TEXT), f(I32), f(Kind::List(&[f(I32S)]))])), f(I32), f(BYTE)];
const DELETE_GROUPS: &[Field] = &[f(TEXTS)];
const DESCRIBE_CLUSTER: &[Field] = &[f(BYTE), since(1, BYTE)];
