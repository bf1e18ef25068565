//! Names and labels of the series that resilience writes; the one place that spells them.

use std::collections::BTreeMap;

/// State of a breaker: 0 closed, 1 open, 2 half_open, 3 forced_open, 4 disabled.
pub const BREAKER_STATE: &str = "tracepact_breaker_state";
/// Requests in the breaker's window.
pub const BREAKER_WINDOW_REQUESTS: &str = "tracepact_breaker_window_requests";
/// Share of failed requests in the breaker's window, 0 to 100.
pub const BREAKER_ERROR_PERCENT: &str = "tracepact_breaker_error_percent";
/// Calls by `outcome` since the process began.
pub const BREAKER_CALLS_TOTAL: &str = "tracepact_breaker_calls_total";
/// Places of a bulkhead taken.
pub const BULKHEAD_IN_USE: &str = "tracepact_bulkhead_in_use";
/// Places of a bulkhead.
pub const BULKHEAD_LIMIT: &str = "tracepact_bulkhead_limit";
/// Calls waiting for a place.
pub const BULKHEAD_WAITING: &str = "tracepact_bulkhead_waiting";
/// Calls turned away since the process began.
pub const BULKHEAD_REJECTED_TOTAL: &str = "tracepact_bulkhead_rejected_total";
/// Consumer permits taken: records in work.
pub const PERMITS_IN_USE: &str = "tracepact_permits_in_use";
/// Consumer permits.
pub const PERMITS_LIMIT: &str = "tracepact_permits_limit";
/// Records waiting for a permit.
pub const PERMITS_WAITING: &str = "tracepact_permits_waiting";
/// 1 while fetching is paused for lack of permits, else 0.
pub const PERMITS_PAUSED: &str = "tracepact_permits_paused";
/// Seconds paused since the process began.
pub const PERMITS_PAUSED_SECONDS_TOTAL: &str = "tracepact_permits_paused_seconds_total";
/// Rebalances a consumer went through since the process began.
pub const CONSUMER_REBALANCES_TOTAL: &str = "tracepact_consumer_rebalances_total";
/// Records between a group's commit and the end of a partition.
pub const CONSUMER_LAG_MESSAGES: &str = "tracepact_consumer_lag_messages";
/// Age of the oldest record a group has not committed past, seconds.
pub const CONSUMER_LAG_SECONDS: &str = "tracepact_consumer_lag_seconds";
/// Records that retention removed before a group committed past them.
pub const CONSUMER_LOST_MESSAGES: &str = "tracepact_consumer_lost_messages";
/// Members of a group.
pub const CONSUMER_MEMBERS: &str = "tracepact_consumer_members";
/// Messages of a flow by `verdict` since the audit began.
pub const MESSAGES_TOTAL: &str = "tracepact_messages_total";
/// Messages of a flow whose answer is still due.
pub const MESSAGES_OPEN: &str = "tracepact_messages_open";

/// A value for the series store, free of that room's types.
#[derive(Debug, Clone, PartialEq)]
pub struct Measure {
    /// Series name: one of this module's constants.
    pub name: &'static str,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// When, nanoseconds since 1970.
    pub at_ns: u64,
    /// The value; unknown is no measure at all.
    pub value: f64,
}

impl Measure {
    /// A measure with these labels; an empty label value means unknown and is left out.
    pub fn new(name: &'static str, labels: &[(&str, &str)], at_ns: u64, value: f64) -> Self {
        let labels = labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Self { name, labels, at_ns, value }
    }
}
