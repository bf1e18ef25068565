use super::*;
use crate::board::BreakerBoard;

/// Messages recorded from Hystrix 1.5.18, trimmed to the fields that are read here.
const RECORDED: &str = include_str!("../../tests/fixtures/hystrix-trimmed.sse");

fn parser() -> StreamParser {
    StreamParser::new(ServiceName::new("shop").unwrap(), "10.0.0.1:8080".to_owned())
}

fn breakers(samples: Vec<StreamSample>) -> Vec<BreakerSample> {
    let breaker = |sample| match sample {
        StreamSample::Breaker(breaker) => Some(breaker),
        StreamSample::Bulkhead(_) => None,
    };
    samples.into_iter().filter_map(breaker).collect()
}

#[test]
fn a_recorded_stream_gives_its_states_and_its_two_transitions() {
    let mut parser = parser();
    let samples = parser.feed(RECORDED.as_bytes());
    assert_eq!((samples.len(), parser.malformed()), (6, 0));
    let board = BreakerBoard::new(0);
    let seen = breakers(samples);
    let told: Vec<_> = seen.iter().flat_map(|sample| board.observe(sample)).collect();
    let said: Vec<_> = told.iter().map(|t| (t.key.name.as_str(), t.to, t.cause.as_str())).collect();
    assert_eq!(
        said,
        [
            ("PaymentAuthorize", BreakerState::Open, "51 % of 122 requests in the window failed"),
            ("PaymentAuthorize", BreakerState::Closed, "a probe succeeded"),
        ]
    );
    let states: Vec<_> =
        board.snapshot(seen[0].at_ns).into_iter().map(|view| (view.name, view.state)).collect();
    assert_eq!(
        states,
        [
            ("ForcedClosed".to_owned(), BreakerState::Closed),
            ("ForcedOpen".to_owned(), BreakerState::ForcedOpen),
            ("PaymentAuthorize".to_owned(), BreakerState::Closed),
        ]
    );
}

#[test]
fn the_pieces_in_which_bytes_arrive_do_not_matter() {
    let whole = parser().feed(RECORDED.as_bytes());
    for size in [1, 7, 1_000] {
        let mut parser = parser();
        let parts: Vec<_> = RECORDED.as_bytes().chunks(size).flat_map(|piece| parser.feed(piece)).collect();
        assert_eq!(parts, whole, "{size} bytes a piece");
    }
}

#[test]
fn sloppy_and_aggregated_messages_are_understood() {
    let text = concat!(
        "data: {\"type\":\"HystrixCommand\",\"name\":\"a\",\"currentTime\":5.5,",
        "\"isCircuitBreakerOpen\":\"{\\\"false\\\":2,\\\"true\\\":1}\",\"errorPercentage\":33.3,\"requestCount\":9}\n",
        "data:{\"type\":\"HystrixCommand\",\"name\":\"b\",\"currentTime\":6,\"isCircuitBreakerOpen\":{\"false\":3}}\r\n",
    );
    let seen = breakers(parser().feed(text.as_bytes()));
    assert_eq!((seen[0].state, seen[0].error_percent), (Some(BreakerState::Open), Some(33.3)));
    assert_eq!((seen[1].state, seen[1].window_requests), (Some(BreakerState::Closed), None));
}

#[test]
fn damage_is_counted_and_the_stream_goes_on() {
    let mut parser = parser();
    let good = "data: {\"type\":\"HystrixCommand\",\"name\":\"a\",\"currentTime\":1}\n";
    let long = format!("data: {}\n", "x".repeat(LINE_BYTES_MAX));
    let text = format!("data: {{broken\n{long}data: {{\"type\":\"HystrixCommand\"}}\n{good}");
    assert_eq!(parser.feed(text.as_bytes()).len(), 1);
    assert_eq!(parser.malformed(), 3);
}
