//! A client of a few lines, so that every version of every API can be called as it is.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The frame of a request, without its length.
pub(crate) fn frame<Q: Encodable>(api: ApiKey, version: i16, request: &Q) -> Bytes {
    let mut out = BytesMut::new();
    let header = RequestHeader::default()
        .with_request_api_key(api as i16)
        .with_request_api_version(version)
        .with_correlation_id(7)
        .with_client_id(Some("wire".into()));
    header.encode(&mut out, api.request_header_version(version)).unwrap();
    request.encode(&mut out, version).unwrap();
    out.freeze()
}

/// Sends one frame on its own connection and reads the answer's frame; `None` when the broker closed instead.
pub(crate) async fn exchange(bootstrap: &str, frame: &[u8]) -> Option<Bytes> {
    let mut socket = TcpStream::connect(bootstrap).await.unwrap();
    socket.write_all(&(frame.len() as u32).to_be_bytes()).await.ok()?;
    socket.write_all(frame).await.ok()?;
    let length = socket.read_i32().await.ok()?;
    let mut answer = vec![0; usize::try_from(length).unwrap()];
    socket.read_exact(&mut answer).await.ok()?;
    Some(answer.into())
}

/// Calls one version of an API and insists that the answer decodes to its last byte.
pub(crate) async fn call<Q: Encodable, R: Decodable>(
    bootstrap: &str,
    api: ApiKey,
    version: i16,
    request: &Q,
) -> R {
    let answer = exchange(bootstrap, &frame(api, version, request)).await;
    let mut answer = answer.unwrap_or_else(|| panic!("{api:?} v{version}: the connection was closed"));
    let header = ResponseHeader::decode(&mut answer, api.response_header_version(version)).unwrap();
    assert_eq!(header.correlation_id, 7);
    let decoded = R::decode(&mut answer, version).unwrap_or_else(|e| panic!("{api:?} v{version}: {e}"));
    assert!(answer.is_empty(), "{api:?} v{version}: {} bytes follow the answer", answer.len());
    decoded
}

/// A batch of `count` records of 100 bytes.
pub(crate) fn batch(count: i64) -> Bytes {
    let records: Vec<Record> = (0..count)
        .map(|offset| Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id: -1,
            producer_epoch: -1,
            timestamp_type: TimestampType::Creation,
            offset,
            sequence: -1,
            timestamp: 1_000 + offset,
            key: None,
            value: Some(Bytes::from(vec![b'x'; 100])),
            headers: Default::default(),
        })
        .collect();
    let mut out = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    // Sequences are compared with offsets when batches are formed: keep them in step.
    let records: Vec<Record> =
        records.into_iter().map(|r| Record { sequence: r.offset as i32 - 1, ..r }).collect();
    RecordBatchEncoder::encode(&mut out, &records, &options).unwrap();
    out.freeze()
}
