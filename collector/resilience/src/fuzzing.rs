//! Entry for fuzzing the parser of streams.

use tracepact_base::ServiceName;

/// Feeds `data` to the parser of `hystrix.stream` in two pieces. Must never panic nor keep more than its bound.
pub fn fuzz_hystrix(data: &[u8]) {
    let Ok(service) = ServiceName::new("fuzz") else { return };
    let mut parser = crate::hystrix::StreamParser::new(service, "host".to_owned());
    let (one, two) = data.split_at(data.len() / 2);
    parser.feed(one);
    parser.feed(two);
}
