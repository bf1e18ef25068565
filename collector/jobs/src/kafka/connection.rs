//! One connection: versions agreed, a question, its answer, within time and size.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::guard;

/// Bounds of every exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) answer_bytes_max: u32,
}

/// Why Kafka could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error("{address}: {source}")]
    Connect { address: String, source: std::io::Error },
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("{api:?}: the broker offers versions {offered:?}, {wanted:?} is needed (Kafka 3.0 or newer)")]
    Version { api: ApiKey, offered: Option<(i16, i16)>, wanted: RangeInclusive<i16> },
    #[error("{api:?}: the answer is malformed: {reason}")]
    Malformed { api: ApiKey, reason: String },
    #[error("an answer of {length} bytes is outside 4..={max}")]
    Length { length: i64, max: u32 },
    #[error("{what}: Kafka error code {code}")]
    Code { what: &'static str, code: i16 },
    #[error("no broker could be reached: {0}")]
    NoBroker(String),
}

/// A connection to one broker. After an error it must be dropped: question and answer may be out of step.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: TcpStream,
    limits: Limits,
    correlation_id: i32,
    offered: HashMap<i16, (i16, i16)>,
}

impl Connection {
    /// Connects and asks which versions are offered.
    pub(crate) async fn open(address: &str, limits: Limits) -> Result<Self, WireError> {
        let connect = tokio::time::timeout(limits.timeout, TcpStream::connect(address));
        let socket = connect.await.map_err(|_| WireError::Timeout(limits.timeout))?;
        let socket = socket.map_err(|source| WireError::Connect { address: address.to_owned(), source })?;
        socket.set_nodelay(true)?;
        let mut connection = Self { socket, limits, correlation_id: 0, offered: HashMap::new() };
        connection.learn_versions().await?;
        Ok(connection)
    }

    /// ApiVersions in version 0, which every broker answers: error code, then (key, oldest, newest) for each API.
    async fn learn_versions(&mut self) -> Result<(), WireError> {
        let api = ApiKey::ApiVersions;
        let mut answer = self.exchange(api, 0, &[]).await?;
        let malformed = || WireError::Malformed { api, reason: "it ends too early".to_owned() };
        let code = answer.try_get_i16().map_err(|_| malformed())?;
        if code != 0 {
            return Err(WireError::Code { what: "ApiVersions", code });
        }
        answer.try_get_i32().map_err(|_| malformed())?;
        while answer.remaining() >= 6 {
            let (key, oldest, newest) = (answer.get_i16(), answer.get_i16(), answer.get_i16());
            self.offered.insert(key, (oldest, newest));
        }
        Ok(())
    }

    /// The newest version in `wanted` that the broker offers.
    pub(crate) fn version(&self, api: ApiKey, wanted: RangeInclusive<i16>) -> Result<i16, WireError> {
        let offered = self.offered.get(&(api as i16)).copied();
        let common = offered.map(|(oldest, newest)| (oldest, newest.min(*wanted.end())));
        match common {
            Some((oldest, newest)) if newest >= oldest && newest >= *wanted.start() => Ok(newest),
            _ => Err(WireError::Version { api, offered, wanted }),
        }
    }

    /// Asks one question in `version`.
    pub(crate) async fn call<Q: Encodable, R: Decodable>(
        &mut self,
        api: ApiKey,
        version: i16,
        question: &Q,
    ) -> Result<R, WireError> {
        let malformed = |reason: String| WireError::Malformed { api, reason };
        let mut body = BytesMut::new();
        question.encode(&mut body, version).map_err(|error| malformed(error.to_string()))?;
        let mut answer = self.exchange(api, version, &body).await?;
        guard::check(api, version, &answer).map_err(|error| malformed(error.to_string()))?;
        R::decode(&mut answer, version).map_err(|error| malformed(error.to_string()))
    }

    async fn exchange(&mut self, api: ApiKey, version: i16, body: &[u8]) -> Result<Bytes, WireError> {
        let timeout = self.limits.timeout;
        let exchanged = tokio::time::timeout(timeout, self.exchange_patiently(api, version, body)).await;
        exchanged.map_err(|_| WireError::Timeout(timeout))?
    }

    async fn exchange_patiently(
        &mut self,
        api: ApiKey,
        version: i16,
        body: &[u8],
    ) -> Result<Bytes, WireError> {
        let malformed = |reason: String| WireError::Malformed { api, reason };
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let mut frame = BytesMut::from(&[0; 4][..]);
        RequestHeader::default()
            .with_request_api_key(api as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation_id)
            .with_client_id(Some(StrBytes::from_static_str("tracepact")))
            .encode(&mut frame, api.request_header_version(version))
            .map_err(|error| malformed(error.to_string()))?;
        frame.extend_from_slice(body);
        let length = (frame.len() - 4) as u32;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.socket.write_all(&frame).await?;

        let length = self.socket.read_i32().await?;
        let max = self.limits.answer_bytes_max;
        let allowed = u32::try_from(length).ok().filter(|l| (4..=max).contains(l));
        let length = allowed.ok_or(WireError::Length { length: i64::from(length), max })? as usize;
        // Memory follows the bytes that really arrive.
        let mut answer = BytesMut::with_capacity(length.min(64 << 10));
        let mut rest = (&mut self.socket).take(length as u64);
        while answer.len() < length {
            if rest.read_buf(&mut answer).await? == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
        }
        let mut answer = answer.freeze();
        let header = ResponseHeader::decode(&mut answer, api.response_header_version(version))
            .map_err(|error| malformed(error.to_string()))?;
        if header.correlation_id != self.correlation_id {
            return Err(malformed("it answers another question".to_owned()));
        }
        Ok(answer)
    }
}
