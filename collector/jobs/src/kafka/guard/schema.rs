//! The shapes of the answers that are read, field by field as the protocol guide lists them.

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

/// Every (API, version) that may be asked for.
pub(super) const USED: &[(ApiKey, i16)] = &[
    (ApiKey::Metadata, 9),
    (ApiKey::Metadata, 10),
    (ApiKey::Metadata, 11),
    (ApiKey::Metadata, 12),
    (ApiKey::ListGroups, 3),
    (ApiKey::ListGroups, 4),
    (ApiKey::ListGroups, 5),
    (ApiKey::OffsetFetch, 8),
    (ApiKey::ListOffsets, 6),
    (ApiKey::ListOffsets, 7),
    (ApiKey::DescribeGroups, 5),
    (ApiKey::FindCoordinator, 4),
    (ApiKey::Fetch, 12),
];

const fn f(kind: Kind) -> Field {
    between(0, i16::MAX, kind)
}

const fn since(since: i16, kind: Kind) -> Field {
    between(since, i16::MAX, kind)
}

const fn between(since: i16, until: i16, kind: Kind) -> Field {
    Field { kind, since, until }
}

/// The first flexible version and the fields of an answer; `None` when it is not read here.
pub(super) fn of(api: ApiKey) -> Option<(i16, &'static [Field])> {
    Some(match api {
        ApiKey::Metadata => (9, METADATA),
        ApiKey::ListGroups => (3, LIST_GROUPS),
        ApiKey::OffsetFetch => (6, OFFSET_FETCH),
        ApiKey::ListOffsets => (6, LIST_OFFSETS),
        ApiKey::DescribeGroups => (5, DESCRIBE_GROUPS),
        ApiKey::FindCoordinator => (3, FIND_COORDINATOR),
        ApiKey::Fetch => (12, FETCH),
        _ => return None,
    })
}

const METADATA: &[Field] = &[
    f(I32),
    f(Kind::List(&[f(I32), f(TEXT), f(I32), f(TEXT)])),
    f(TEXT),
    f(I32),
    f(Kind::List(METADATA_TOPIC)),
    between(8, 10, I32),
];
const METADATA_TOPIC: &[Field] = &[
    f(I16),
    f(TEXT),
    since(10, UUID),
    f(BYTE),
    f(Kind::List(&[f(I16), f(I32), f(I32), f(I32), f(I32S), f(I32S), f(I32S)])),
    f(I32),
];
const LIST_GROUPS: &[Field] =
    &[f(I32), f(I16), f(Kind::List(&[f(TEXT), f(TEXT), since(4, TEXT), since(5, TEXT)]))];
const OFFSET_FETCH: &[Field] = &[
    f(I32),
    f(Kind::List(&[
        f(TEXT),
        f(Kind::List(&[f(TEXT), f(Kind::List(&[f(I32), f(I64), f(I32), f(TEXT), f(I16)]))])),
        f(I16),
    ])),
];
const LIST_OFFSETS: &[Field] =
    &[f(I32), f(Kind::List(&[f(TEXT), f(Kind::List(&[f(I32), f(I16), f(I64), f(I64), f(I32)]))]))];
const DESCRIBE_GROUPS: &[Field] = &[
    f(I32),
    f(Kind::List(&[
        f(I16),
        f(TEXT),
        f(TEXT),
        f(TEXT),
        f(TEXT),
        f(Kind::List(&[f(TEXT), f(TEXT), f(TEXT), f(TEXT), f(BLOB), f(BLOB)])),
        f(I32),
    ])),
];
const FIND_COORDINATOR: &[Field] =
    &[f(I32), f(Kind::List(&[f(TEXT), f(I32), f(TEXT), f(I32), f(I16), f(TEXT)]))];
const FETCH: &[Field] = &[f(I32), f(I16), f(I32), f(Kind::List(&[f(TEXT), f(Kind::List(FETCH_PARTITION))]))];
const FETCH_PARTITION: &[Field] =
    &[f(I32), f(I16), f(I64), f(I64), f(I64), f(Kind::List(&[f(I64), f(I64)])), f(I32), f(BLOB)];
