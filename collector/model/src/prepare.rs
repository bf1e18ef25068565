//! A body on its way to the log: decoded into columns and without secrets.

use bytes::Bytes;

use crate::codec::{DecodeError, DecodeLimits, DecodedChunk, Rejection, decode, decode_chunk, encode};
use crate::columnar::SpanChunk;
use crate::{Codec, Redaction};

/// A body that decoded, without secrets.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What reads `body`: the sender's codec, or the one the body was re-encoded with.
    pub codec: Codec,
    /// The body for the log: the received one, or a re-encoded one when something was hidden or rejected.
    pub body: Bytes,
    /// Exactly what `body` decodes to.
    pub spans: SpanChunk,
    /// Spans of the received body that were rejected one by one.
    pub rejected: Vec<Rejection>,
    /// How many values were redacted.
    pub redacted: u64,
}

/// Decodes and redacts: what `ingest` calls. Decoding the returned body again gives the returned rows, so that a
/// replay of the log needs no redaction and shows what every query saw.
///
/// # Errors
/// As [`decode`].
pub fn prepare(
    codec: Codec,
    body: Bytes,
    limits: &DecodeLimits,
    redaction: &Redaction,
) -> Result<Prepared, DecodeError> {
    let decoded = decode_chunk(codec, &body, limits)?;
    // What was cut off or refused stands in the body all the same, and may be what has to be hidden.
    let complete = decoded.rejected.is_empty() && !decoded.chunk.is_truncated();
    if complete && !redaction.concerns(&decoded.chunk) {
        let DecodedChunk { chunk: spans, rejected } = decoded;
        return Ok(Prepared { codec, body, spans, rejected, redacted: 0 });
    }
    prepare_by_rows(codec, body, decoded, limits, redaction)
}

/// The way of bodies in which something may have to be hidden: over owned rows, of which a body is written again.
fn prepare_by_rows(
    codec: Codec,
    body: Bytes,
    decoded: DecodedChunk,
    limits: &DecodeLimits,
    redaction: &Redaction,
) -> Result<Prepared, DecodeError> {
    // Values are encoded in full length: replay cuts them again and so marks the same spans as truncated.
    let mut whole = decode(codec, &body, &DecodeLimits::unbounded())?;
    // Values are looked at one by one only when something in the body as a whole could be meant.
    let redacted = redaction.apply_to(&mut whole, redaction.values_in(&body));
    let DecodedChunk { chunk, rejected } = decoded;
    if redacted == 0 && rejected.is_empty() {
        return Ok(Prepared { codec, body, spans: chunk, rejected, redacted });
    }
    let codec = codec.rewritten_as();
    let Some(clean) = encode(codec, &whole) else {
        return Err(DecodeError::invalid(format!("{} cannot be stored redacted", codec.name())));
    };
    let spans = decode_chunk(codec, &clean, limits)?.chunk;
    Ok(Prepared { codec, body: clean.into(), spans, rejected, redacted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn rows(prepared: &Prepared) -> Vec<Span> {
        prepared.spans.spans().unwrap()
    }

    #[test]
    fn a_secret_is_in_neither_rows_nor_body() {
        let body = br#"[{"traceId":"1","id":"2","tags":{"http.request.header.authorization":"Bearer abc","x":"y"}}]"#;
        let prepared = prepare(
            Codec::ZipkinJsonV2,
            Bytes::from_static(body),
            &DecodeLimits::default(),
            &Redaction::default(),
        )
        .unwrap();
        assert!(!String::from_utf8_lossy(&prepared.body).contains("abc"));
        assert_eq!(rows(&prepared)[0].attribute("http.request.header.authorization").unwrap().text(), "***");
        let again = decode(Codec::ZipkinJsonV2, &prepared.body, &DecodeLimits::default()).unwrap();
        assert_eq!(again, rows(&prepared));
    }

    #[test]
    fn a_redacted_body_still_replays_its_truncation_mark() {
        let long = "v".repeat(100);
        let body = format!(r#"[{{"traceId":"1","id":"2","tags":{{"password":"p","long":"{long}"}}}}]"#);
        let limits = DecodeLimits { value_bytes_max: 10, ..DecodeLimits::default() };
        let prepared = prepare(Codec::ZipkinJsonV2, body.into(), &limits, &Redaction::default()).unwrap();
        assert!(rows(&prepared)[0].flags.truncated);
        assert_eq!(decode(Codec::ZipkinJsonV2, &prepared.body, &limits).unwrap(), rows(&prepared));
    }

    #[test]
    fn a_clean_body_is_kept_as_it_is() {
        let body = Bytes::from_static(br#"[ {"traceId":"1","id":"2"} ]"#);
        let prepared =
            prepare(Codec::ZipkinJsonV2, body.clone(), &DecodeLimits::default(), &Redaction::default())
                .unwrap();
        assert_eq!(prepared.body, body);
    }

    #[test]
    fn a_codec_without_a_writer_is_logged_in_one_that_reads_the_same() {
        let body = br#"[{"traceId":"1","id":"2","binaryAnnotations":[{"key":"password","value":"abc"}]}]"#;
        let prepared = prepare(
            Codec::ZipkinJsonV1,
            Bytes::from_static(body),
            &DecodeLimits::default(),
            &Redaction::default(),
        )
        .unwrap();
        assert_eq!((prepared.codec, prepared.redacted), (Codec::ZipkinV1Rows, 1));
        assert!(!String::from_utf8_lossy(&prepared.body).contains("abc"));
        let again = decode(prepared.codec, &prepared.body, &DecodeLimits::default()).unwrap();
        assert_eq!(again, rows(&prepared));
        assert_eq!(again[0].source, crate::Source::ZipkinV1);
    }
}
