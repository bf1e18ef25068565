//! Reading a request body within its limits, decompressed with a cap.

mod budget;

use std::io::Read;
use std::time::Duration;

use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use tracepact_base::ErrorKind;

use self::budget::Budgeted;
use crate::Problem;
use crate::timed_body::BodyTimeout;

/// Bounds of one body.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes as sent.
    pub sent_bytes_max: usize,
    /// Most bytes once decompressed.
    pub decompressed_bytes_max: usize,
}

impl Limits {
    /// For spans and metrics: 16 MiB as sent, 64 MiB decompressed.
    pub const INGEST: Self = Self { sent_bytes_max: 16 << 20, decompressed_bytes_max: 64 << 20 };
    /// For everything else: 4 MiB either way.
    pub const DEFAULT: Self = Self { sent_bytes_max: 4 << 20, decompressed_bytes_max: 4 << 20 };
}

/// Bodies up to this size are decompressed where they are read; larger ones on the blocking pool.
const INLINE_BYTES_MAX: usize = 4 << 10;
/// Most bytes of a refused body that are taken and thrown away.
const DISCARDED_BYTES_MAX: usize = 128 << 20;
/// The longest time for that.
const DISCARD_TIME_MAX: Duration = Duration::from_secs(3);
/// Most bodies being decompressed on the blocking pool at once.
static DECOMPRESSING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(4);

/// The body of `request`, decompressed (gzip, deflate, zstd) as its `Content-Encoding` says.
///
/// # Errors
/// 413 beyond a limit, 415 for an unknown encoding, 400 for broken compression or a sender that went away, 408 for
/// one that stalled.
pub async fn read(request: Request, limits: Limits) -> Result<Bytes, Problem> {
    let (parts, body) = request.into_parts();
    read_parts(&parts.headers, body, limits).await
}

/// Like [`read`], for a request already taken apart.
///
/// # Errors
/// As [`read`].
pub async fn read_parts(
    headers: &HeaderMap,
    body: axum::body::Body,
    limits: Limits,
) -> Result<Bytes, Problem> {
    let encoding = Encoding::of(headers)?;
    let sent = collect(headers, body, limits.sent_bytes_max).await?;
    let Some(encoding) = encoding else {
        return if sent.len() > limits.decompressed_bytes_max {
            Err(too_large(limits.decompressed_bytes_max, ""))
        } else {
            Ok(sent)
        };
    };
    if sent.is_empty() {
        return Ok(sent);
    }
    let limit = limits.decompressed_bytes_max;
    // What is small and stays small is not worth another thread: 4 KiB of gzip are 4 MiB at most.
    if sent.len() <= INLINE_BYTES_MAX && encoding != Encoding::Zstd {
        return encoding.decompress(&sent, limit);
    }
    let _permit = DECOMPRESSING.acquire().await.map_err(|_| internal())?;
    tokio::task::spawn_blocking(move || encoding.decompress(&sent, limit)).await.map_err(|_| internal())?
}

fn internal() -> Problem {
    Problem::new(ErrorKind::Internal, "the body could not be decompressed here")
}

fn too_large(limit: usize, what: &str) -> Problem {
    Problem::new(ErrorKind::TooLarge, format!("the body is larger than {limit} bytes{what}"))
}

async fn collect(headers: &HeaderMap, mut body: axum::body::Body, limit: usize) -> Result<Bytes, Problem> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<u64>().ok())
        .unwrap_or(0);
    if announced > limit as u64 {
        discard(body).await;
        return Err(too_large(limit, ""));
    }
    // What was announced is not believed: memory follows what arrives.
    let mut collected = Budgeted::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&error))?;
        if let Ok(data) = frame.into_data() {
            if collected.len() + data.len() > limit {
                drop(collected);
                discard(body).await;
                return Err(too_large(limit, ""));
            }
            collected.extend(&data)?;
        }
    }
    Ok(collected.freeze())
}

/// Takes what a sender of too much still has under way, within bounds: it reads the refusal only after it has written,
/// and a connection closed under it would look like a fault of the network, which it would retry.
async fn discard(mut body: axum::body::Body) {
    let taken = async {
        let mut left = DISCARDED_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
            left = rest;
        }
    };
    let _ = tokio::time::timeout(DISCARD_TIME_MAX, taken).await;
}

fn unreadable(error: &axum::Error) -> Problem {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = source {
        if current.is::<BodyTimeout>() {
            return Problem::invalid(current.to_string()).with_status(StatusCode::REQUEST_TIMEOUT);
        }
        source = current.source();
    }
    Problem::invalid("the body ended before its announced length")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
    Zstd,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut found = None;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in
                value.to_str().unwrap_or("?").split(',').map(str::trim).filter(|name| !name.is_empty())
            {
                let encoding = match name.to_ascii_lowercase().as_str() {
                    "identity" => continue,
                    "gzip" | "x-gzip" => Self::Gzip,
                    "deflate" => Self::Deflate,
                    "zstd" => Self::Zstd,
                    _ => return Err(unsupported(&format!("Content-Encoding {name} is not known"))),
                };
                if found.replace(encoding).is_some() {
                    return Err(unsupported("a body is compressed once at most"));
                }
            }
        }
        Ok(found)
    }

    pub(crate) fn decompress(self, sent: &[u8], limit: usize) -> Result<Bytes, Problem> {
        match self {
            Self::Gzip => self.bounded(flate2::read::MultiGzDecoder::new(sent), limit),
            // `deflate` is zlib by the standard; some senders leave the zlib frame out.
            Self::Deflate if is_zlib(sent) => self.bounded(flate2::read::ZlibDecoder::new(sent), limit),
            Self::Deflate => self.bounded(flate2::read::DeflateDecoder::new(sent), limit),
            Self::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(sent).map_err(|error| self.broken(&error))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| self.broken(&error))?;
                self.bounded(decoder, limit)
            }
        }
    }

    /// Everything `reader` gives, refused once it gives more than `limit`.
    fn bounded(self, mut reader: impl Read, limit: usize) -> Result<Bytes, Problem> {
        let mut out = Budgeted::new();
        let mut piece = [0_u8; 16 << 10];
        loop {
            let read = reader.read(&mut piece).map_err(|error| self.broken(&error))?;
            if read == 0 {
                return Ok(out.freeze());
            }
            if out.len() + read > limit {
                return Err(too_large(limit, " once decompressed"));
            }
            out.extend(&piece[..read])?;
        }
    }

    fn broken(self, error: &std::io::Error) -> Problem {
        Problem::invalid(format!("the body is not valid {self:?}: {error}"))
    }
}

/// zstd windows up to 8 MiB, as RFC 9659 demands for Content-Encoding.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

fn is_zlib(sent: &[u8]) -> bool {
    matches!(sent, [cmf, flg, ..] if cmf & 0x0f == 8 && (u16::from(*cmf) * 256 + u16::from(*flg)).is_multiple_of(31))
}

fn unsupported(detail: &str) -> Problem {
    Problem::invalid(format!("{detail}: use gzip, deflate, zstd or none"))
        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}
