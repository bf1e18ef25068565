use super::*;

fn point(name: &str, attributes: &[(&str, &str)], value: f64, at_ns: u64) -> MetricPoint {
    MetricPoint {
        name: name.to_owned(),
        service: ServiceName::new("orders").unwrap(),
        instance: "orders-1".to_owned(),
        attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        value,
        start_ns: Some(50),
        at_ns,
    }
}

const BREAKER: &[(&str, &str)] = &[("breaker", "products"), ("callee", "products")];

#[test]
fn points_of_one_breaker_make_one_sample_and_its_series() {
    let outcome = [BREAKER, &[("outcome", "timeout")]].concat();
    let absorbed = absorb(
        &[
            point("tracepact.breaker.state", BREAKER, 1.0, 100),
            point("tracepact.breaker.window.requests", BREAKER, 20.0, 100),
            point("tracepact.breaker.window.error_percent", BREAKER, 55.0, 100),
            point("tracepact.breaker.calls", &outcome, 11.0, 100),
            point("http.server.duration", &[], 1.0, 100),
            point("tracepact.breaker.state", &[], 1.0, 100),
            point("tracepact.breaker.state", BREAKER, 9.0, 100),
        ],
        &Boards::new(0),
    );
    assert_eq!((absorbed.malformed, absorbed.foreign), (2, 1));
    let names: Vec<_> = absorbed.measures.iter().map(|m| (m.name, m.value)).collect();
    assert_eq!(
        names,
        [
            (series::BREAKER_STATE, 1.0),
            (series::BREAKER_WINDOW_REQUESTS, 20.0),
            (series::BREAKER_ERROR_PERCENT, 55.0),
            (series::BREAKER_CALLS_TOTAL, 11.0),
        ]
    );
    let labels = &absorbed.measures[3].labels;
    assert_eq!(
        labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(","),
        "breaker=products,callee=products,instance=orders-1,outcome=timeout,service=orders"
    );
}

#[test]
fn an_opening_between_two_exports_is_found_by_its_counters_with_its_cause() {
    let boards = Boards::new(0);
    let transitions = |from: &str, to: &str, cause: &str, total: f64, at: u64| {
        let attributes = [BREAKER, &[("from", from), ("to", to), ("cause", cause)]].concat();
        point("tracepact.breaker.transitions", &attributes, total, at)
    };
    let first = absorb(&[point("tracepact.breaker.state", BREAKER, 0.0, 100)], &boards);
    assert!(first.events.is_empty());
    let second = absorb(
        &[
            transitions("half_open", "closed", "probe succeeded", 1.0, 200),
            transitions("open", "half_open", "sleep window passed", 1.0, 200),
            transitions("closed", "open", "12 of 20 failed", 1.0, 200),
            point("tracepact.breaker.state", BREAKER, 0.0, 200),
        ],
        &boards,
    );
    let told: Vec<_> = second
        .events
        .iter()
        .map(|e| (e.attributes["from"].as_str(), e.attributes["to"].as_str(), e.cause.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("closed", "open", "12 of 20 failed"),
            ("open", "half_open", "sleep window passed"),
            ("half_open", "closed", "probe succeeded"),
        ]
    );
    assert_eq!(second.events[0].edge.as_ref().unwrap().to_string(), "orders → products");
    let repeated = absorb(&[transitions("closed", "open", "12 of 20 failed", 1.0, 300)], &boards);
    assert!(repeated.events.is_empty(), "the same total is no news");
    let view = &boards.breakers.snapshot(300)[0];
    assert_eq!((view.state, view.since_ns, view.transitions.len()), (BreakerState::Closed, Some(200), 3));
}

#[test]
fn permits_bulkheads_and_rebalances() {
    let boards = Boards::new(0);
    let permits = [("group", "payments"), ("topic", "order-placed")];
    let export = |limit: f64, at: u64| {
        absorb(
            &[
                point("tracepact.permits.in_use", &permits, 3.0, at),
                point("tracepact.permits.limit", &permits, limit, at),
                point("tracepact.permits.waiting", &permits, 7.0, at),
                point("tracepact.permits.paused", &permits, 1.0, at),
                point("tracepact.permits.paused_seconds", &permits, 2.5, at),
                point("tracepact.bulkhead.rejected", &[("bulkhead", "products")], 4.0, at),
                point("tracepact.consumer.rebalances", &[("group", "payments")], 2.0, at),
            ],
            &boards,
        )
    };
    let first = export(8.0, 100);
    assert_eq!((first.malformed, first.events.len(), first.measures.len()), (0, 0, 7));
    let second = export(2.0, 200);
    assert_eq!(second.events[0].title, "The limit of permits payments of orders went from 8 to 2");
    assert_eq!(second.events[0].destination.as_ref().unwrap().as_str(), "order-placed");
    assert_eq!(boards.lag.rebalances("payments"), Some(2));
    assert_eq!(boards.bulkheads.snapshot(200).len(), 2);
}
