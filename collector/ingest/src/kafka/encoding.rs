//! Which decoder reads a record.

use tracepact_model::sniff;

use super::TopicEncoding;
use crate::Format;

/// The format of a record, or why none fits.
pub(super) fn format_of(encoding: TopicEncoding, payload: &[u8]) -> Result<Format, &'static str> {
    match encoding {
        TopicEncoding::Otlp => Ok(match payload.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => Format::OtlpJson,
            _ => Format::OtlpProto,
        }),
        TopicEncoding::Zipkin => {
            let codec = sniff(payload).and_then(Format::of);
            codec.ok_or("the record begins like none of Zipkin's encodings")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_apart_one_by_one() {
        let zipkin = |bytes: &[u8]| format_of(TopicEncoding::Zipkin, bytes);
        let v2 = br#"[{"traceId":"1","id":"1","localEndpoint":{"serviceName":"a"}}]"#;
        assert_eq!(zipkin(v2), Ok(Format::ZipkinJson));
        assert_eq!(
            zipkin(br#"[{"traceId":"1","id":"1","name":"","annotations":[]}]"#),
            Ok(Format::ZipkinJsonV1)
        );
        assert_eq!(zipkin(&[10, 2, 0, 0]), Ok(Format::ZipkinProto3));
        assert_eq!(zipkin(&[12, 0, 0, 0, 1]), Ok(Format::ZipkinThrift));
        assert!(zipkin(b"malformed").is_err());
        let otlp = |bytes: &[u8]| format_of(TopicEncoding::Otlp, bytes);
        assert_eq!(otlp(b" {\"resourceSpans\":[]}"), Ok(Format::OtlpJson));
        assert_eq!(otlp(&[10, 0]), Ok(Format::OtlpProto));
    }
}
