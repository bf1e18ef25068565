//! What is offered, and the way from a request's bytes to an answer's.

mod fetch;
mod groups;
mod membership;
mod metadata;
mod offsets;
mod produce;
mod topics;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{self as messages, ApiKey};
use kafka_protocol::protocol::{Decodable, Encodable};

use crate::connection::ConnectionError;
use crate::error_code;
use crate::state::Shared;

/// An API and the versions of it that are answered.
#[derive(Debug, Clone, Copy)]
pub struct ApiRange {
    /// Which API.
    pub api: ApiKey,
    /// Oldest version.
    pub min: i16,
    /// Newest version.
    pub max: i16,
}

const fn range(api: ApiKey, min: i16, max: i16) -> ApiRange {
    ApiRange { api, min, max }
}

/// Everything that is answered, in the widest ranges that old and new clients can use. Produce ends at 9 and Fetch at
/// 12: above these topics travel by id and answers must hint at leaders, and no client minds.
pub const OFFERED: &[ApiRange] = &[
    range(ApiKey::Produce, 3, 9),
    range(ApiKey::Fetch, 4, 12),
    range(ApiKey::ListOffsets, 1, 7),
    range(ApiKey::Metadata, 0, 12),
    range(ApiKey::OffsetCommit, 2, 8),
    range(ApiKey::OffsetFetch, 1, 8),
    range(ApiKey::FindCoordinator, 0, 4),
    range(ApiKey::JoinGroup, 0, 9),
    range(ApiKey::Heartbeat, 0, 4),
    range(ApiKey::LeaveGroup, 0, 5),
    range(ApiKey::SyncGroup, 0, 5),
    range(ApiKey::DescribeGroups, 0, 5),
    range(ApiKey::ListGroups, 0, 5),
    range(ApiKey::ApiVersions, 0, 4),
    range(ApiKey::CreateTopics, 2, 7),
    range(ApiKey::DeleteTopics, 1, 6),
    range(ApiKey::DeleteRecords, 0, 2),
    range(ApiKey::InitProducerId, 0, 4),
    range(ApiKey::DescribeConfigs, 1, 4),
    range(ApiKey::CreatePartitions, 0, 3),
    range(ApiKey::DeleteGroups, 0, 2),
    range(ApiKey::DescribeCluster, 0, 1),
];

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) host: String,
}

/// The API behind a request's key when this version of it is offered.
pub(crate) fn offered(key: i16, version: i16) -> Option<ApiKey> {
    OFFERED
        .iter()
        .find(|range| range.api as i16 == key && (range.min..=range.max).contains(&version))
        .map(|range| range.api)
}

/// The list of what is offered.
pub(crate) fn versions_answer(error: i16) -> messages::ApiVersionsResponse {
    let list = OFFERED
        .iter()
        .map(|range| {
            messages::api_versions_response::ApiVersion::default()
                .with_api_key(range.api as i16)
                .with_min_version(range.min)
                .with_max_version(range.max)
        })
        .collect();
    messages::ApiVersionsResponse::default().with_error_code(error).with_api_keys(list)
}

fn decode<R: Decodable>(api: ApiKey, version: i16, mut body: Bytes) -> Result<R, ConnectionError> {
    R::decode(&mut body, version).map_err(|error| ConnectionError::Malformed {
        api,
        version,
        reason: error.to_string(),
    })
}

/// Calls `$with!(RequestType)` for the request type of an API.
macro_rules! by_api {
    ($api:expr, $with:ident) => {
        match $api {
            ApiKey::Produce => $with!(ProduceRequest),
            ApiKey::Fetch => $with!(FetchRequest),
            ApiKey::ListOffsets => $with!(ListOffsetsRequest),
            ApiKey::Metadata => $with!(MetadataRequest),
            ApiKey::OffsetCommit => $with!(OffsetCommitRequest),
            ApiKey::OffsetFetch => $with!(OffsetFetchRequest),
            ApiKey::FindCoordinator => $with!(FindCoordinatorRequest),
            ApiKey::JoinGroup => $with!(JoinGroupRequest),
            ApiKey::Heartbeat => $with!(HeartbeatRequest),
            ApiKey::LeaveGroup => $with!(LeaveGroupRequest),
            ApiKey::SyncGroup => $with!(SyncGroupRequest),
            ApiKey::DescribeGroups => $with!(DescribeGroupsRequest),
            ApiKey::ListGroups => $with!(ListGroupsRequest),
            ApiKey::CreateTopics => $with!(CreateTopicsRequest),
            ApiKey::DeleteTopics => $with!(DeleteTopicsRequest),
            ApiKey::DeleteRecords => $with!(DeleteRecordsRequest),
            ApiKey::InitProducerId => $with!(InitProducerIdRequest),
            ApiKey::DescribeConfigs => $with!(DescribeConfigsRequest),
            ApiKey::CreatePartitions => $with!(CreatePartitionsRequest),
            ApiKey::DeleteGroups => $with!(DeleteGroupsRequest),
            ApiKey::DescribeCluster => $with!(DescribeClusterRequest),
            _ => $with!(ApiVersionsRequest),
        }
    };
}

/// Decodes a body and throws it away.
pub(crate) fn decode_only(api: ApiKey, version: i16, body: Bytes) {
    macro_rules! try_decode {
        ($request:ident) => {
            drop(decode::<messages::$request>(api, version, body))
        };
    }
    by_api!(api, try_decode);
}

/// Decodes `body`, does what it asks and writes the answer. `false`: no answer is due (a produce with acks=0).
pub(crate) async fn answer(
    shared: &Shared,
    api: ApiKey,
    version: i16,
    body: Bytes,
    client: Client,
    out: &mut BytesMut,
) -> Result<bool, ConnectionError> {
    macro_rules! request {
        () => {
            decode(api, version, body)?
        };
    }
    macro_rules! write {
        ($answer:expr) => {{
            let answer = $answer;
            answer.encode(out, version).map_err(|error| ConnectionError::Answer {
                api,
                version,
                reason: error.to_string(),
            })?;
        }};
    }
    match api {
        ApiKey::Produce => {
            let request: messages::ProduceRequest = request!();
            let acks = request.acks;
            let answer = produce::produce(shared, request);
            if acks == 0 {
                return Ok(false);
            }
            write!(answer);
        }
        ApiKey::Fetch => write!(fetch::fetch(shared, request!()).await),
        ApiKey::ListOffsets => write!(fetch::list_offsets(shared, request!(), version)),
        ApiKey::Metadata => write!(metadata::metadata(shared, request!(), version)),
        ApiKey::DescribeCluster => write!(metadata::describe_cluster(shared, request!())),
        ApiKey::FindCoordinator => write!(metadata::find_coordinator(shared, request!(), version)),
        ApiKey::JoinGroup => write!(membership::join(shared, request!(), version, client).await),
        ApiKey::SyncGroup => write!(membership::sync(shared, request!()).await),
        ApiKey::Heartbeat => write!(membership::heartbeat(shared, request!())),
        ApiKey::LeaveGroup => write!(membership::leave(shared, request!(), version)),
        ApiKey::OffsetCommit => write!(offsets::commit(shared, request!())),
        ApiKey::OffsetFetch => write!(offsets::fetch(shared, request!(), version)),
        ApiKey::ListGroups => write!(groups::list(shared, request!())),
        ApiKey::DescribeGroups => write!(groups::describe(shared, request!())),
        ApiKey::DeleteGroups => write!(groups::delete(shared, request!())),
        ApiKey::CreateTopics => write!(topics::create(shared, request!())),
        ApiKey::DeleteTopics => write!(topics::delete(shared, request!(), version)),
        ApiKey::CreatePartitions => write!(topics::create_partitions(shared, request!())),
        ApiKey::DeleteRecords => write!(topics::delete_records(shared, request!())),
        ApiKey::DescribeConfigs => write!(topics::describe_configs(shared, request!())),
        ApiKey::InitProducerId => write!(produce::init_producer_id(shared, request!())),
        _ => {
            let _: messages::ApiVersionsRequest = request!();
            write!(versions_answer(error_code::NONE));
        }
    }
    Ok(true)
}
