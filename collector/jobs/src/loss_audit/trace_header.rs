//! The trace id in a record's headers: W3C's `traceparent` first, then Brave's `b3`, then the multi-header form.

use tracepact_base::TraceId;

/// The trace a record belongs to. Of several headers with one name the last counts.
pub(super) fn trace_id(headers: &[(String, Vec<u8>)]) -> Option<TraceId> {
    let last = |name: &str| {
        let value = headers.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)?;
        std::str::from_utf8(value).ok()
    };
    let traceparent = || last("traceparent")?.split('-').nth(1).filter(|id| id.len() == 32)?.parse().ok();
    let single = || {
        let id = last("b3")?.split('-').next().filter(|id| matches!(id.len(), 16 | 32))?;
        id.parse().ok()
    };
    let multi = || last("x-b3-traceid").or_else(|| last("X-B3-TraceId"))?.parse().ok();
    traceparent().or_else(single).or_else(multi)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&str, &str)]) -> Option<String> {
        let headers: Vec<_> = headers.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec())).collect();
        trace_id(&headers).map(|id| id.to_string())
    }

    #[test]
    fn every_form_is_read_and_nonsense_is_none() {
        let parent = "00-463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-01";
        let id = Some("463ac35c9f6413ad48485a3953bb6124".to_owned());
        assert_eq!(of(&[("b3", "0"), ("traceparent", parent)]), id);
        assert_eq!(
            of(&[("traceparent", "00-junk"), ("b3", "48485a3953bb6124-a2fb4a1d1a96d312-1")]),
            Some("48485a3953bb6124".to_owned())
        );
        assert_eq!(of(&[("x-b3-traceid", "48485a3953bb6124")]), Some("48485a3953bb6124".to_owned()));
        assert_eq!(of(&[("b3", "0")]), None);
        assert_eq!(of(&[("traceparent", "00-00000000000000000000000000000000-a2fb4a1d1a96d312-01")]), None);
    }
}
