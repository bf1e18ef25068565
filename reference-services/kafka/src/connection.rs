//! One client: frames in, answers out, in order.

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::api::{self, Client};
use crate::error_code;
use crate::guard;
use crate::state::Shared;

/// Shortest frame: API key, version and correlation id.
const FRAME_BYTES_MIN: usize = 8;

/// Why a connection was closed by the broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("a frame of {len} bytes is outside {FRAME_BYTES_MIN}..={max}")]
    FrameLength { len: i64, max: u32 },
    #[error("API {key} version {version} is not offered")]
    NotOffered { key: i16, version: i16 },
    #[error("{api:?} version {version} is malformed: {reason}")]
    Malformed { api: ApiKey, version: i16, reason: String },
    #[error("the answer to {api:?} version {version} cannot be encoded: {reason}")]
    Answer { api: ApiKey, version: i16, reason: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A request whose frame, header and shape are in order.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: String,
    pub(crate) body: Bytes,
}

/// What a frame turned out to be.
#[derive(Debug)]
pub(crate) enum Parsed {
    Request(Request),
    /// KIP-511: an ApiVersions request of a version newer than ours is answered in version 0 with what we have.
    TooNewApiVersions {
        correlation_id: i32,
    },
}

/// Serves one client until it leaves, errs or the broker stops.
pub(crate) async fn serve(
    shared: &Shared,
    mut socket: TcpStream,
    host: &str,
    stop: &CancellationToken,
) -> Result<(), ConnectionError> {
    socket.set_nodelay(true)?;
    while let Some(Some(frame)) =
        stop.run_until_cancelled(read_frame(&mut socket, shared.config.frame_bytes_max)).await.transpose()?
    {
        let Some(answer) = stop.run_until_cancelled(handle(shared, frame, host)).await.transpose()? else {
            return Ok(());
        };
        let Some((api, answer)) = answer else { continue };
        let delay = {
            let mut state = shared.state();
            if state.faults.close_connections > 0 {
                state.faults.close_connections -= 1;
                return Ok(());
            }
            state.faults.delay_of(api)
        };
        if !delay.is_zero() && stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return Ok(());
        }
        socket.write_all(&answer).await?;
    }
    Ok(())
}

async fn read_frame(socket: &mut TcpStream, max: u32) -> Result<Option<Bytes>, ConnectionError> {
    let mut length = [0; 4];
    if socket.read_exact(&mut length).await.is_err() {
        return Ok(None); // the client is gone
    }
    let length = i32::from_be_bytes(length);
    let allowed = u32::try_from(length).ok().filter(|l| *l <= max && *l as usize >= FRAME_BYTES_MIN);
    let Some(length) = allowed else {
        return Err(ConnectionError::FrameLength { len: i64::from(length), max });
    };
    // Memory follows the bytes that really arrive, not the length that was promised.
    let mut frame = BytesMut::with_capacity((length as usize).min(64 << 10));
    let mut rest = socket.take(u64::from(length));
    while frame.len() < length as usize {
        if rest.read_buf(&mut frame).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(frame.freeze()))
}

/// Reads a frame without its length: header, version, and that the body has the shape its version demands.
pub(crate) fn parse(mut frame: Bytes) -> Result<Parsed, ConnectionError> {
    if frame.len() < FRAME_BYTES_MIN {
        return Err(ConnectionError::FrameLength { len: frame.len() as i64, max: u32::MAX });
    }
    let mut start = &frame[..FRAME_BYTES_MIN];
    let (key, version, correlation_id) = (start.get_i16(), start.get_i16(), start.get_i32());
    let Some(api) = api::offered(key, version) else {
        if key == ApiKey::ApiVersions as i16 {
            return Ok(Parsed::TooNewApiVersions { correlation_id });
        }
        return Err(ConnectionError::NotOffered { key, version });
    };
    let malformed = |reason: String| ConnectionError::Malformed { api, version, reason };
    let header = RequestHeader::decode(&mut frame, api.request_header_version(version))
        .map_err(|error| malformed(error.to_string()))?;
    guard::check(api, version, &frame).map_err(|error| malformed(error.to_string()))?;
    let client_id = header.client_id.map(|id| id.to_string()).unwrap_or_default();
    Ok(Parsed::Request(Request { api, version, correlation_id, client_id, body: frame }))
}

/// The framed answer and the API it is of; `None` when none is due.
async fn handle(
    shared: &Shared,
    frame: Bytes,
    host: &str,
) -> Result<Option<(ApiKey, BytesMut)>, ConnectionError> {
    let mut out = BytesMut::from(&[0; 4][..]);
    let answer_error = |api, version| {
        move |error: &dyn std::fmt::Display| ConnectionError::Answer {
            api,
            version,
            reason: error.to_string(),
        }
    };
    let api = match parse(frame)? {
        Parsed::TooNewApiVersions { correlation_id } => {
            let fail = answer_error(ApiKey::ApiVersions, 0);
            let header = ResponseHeader::default().with_correlation_id(correlation_id);
            header.encode(&mut out, 0).map_err(|error| fail(&error))?;
            let body = api::versions_answer(error_code::UNSUPPORTED_VERSION);
            body.encode(&mut out, 0).map_err(|error| fail(&error))?;
            ApiKey::ApiVersions
        }
        Parsed::Request(request) => {
            let (api, version) = (request.api, request.version);
            let header = ResponseHeader::default().with_correlation_id(request.correlation_id);
            header
                .encode(&mut out, api.response_header_version(version))
                .map_err(|error| answer_error(api, version)(&error))?;
            let client = Client { id: request.client_id, host: host.to_owned() };
            if !api::answer(shared, api, version, request.body, client, &mut out).await? {
                return Ok(None);
            }
            api
        }
    };
    let length = (out.len() - 4) as u32;
    out[..4].copy_from_slice(&length.to_be_bytes());
    Ok(Some((api, out)))
}
