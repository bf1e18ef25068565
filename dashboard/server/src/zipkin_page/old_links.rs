//! The question in an address of Zipkin's page, as an address of ours.

use tracepact_base::time_format::to_rfc3339;
use url::form_urlencoded::{Serializer, parse};

/// Parameters looked at; a link has a dozen.
const PARAMETERS_MAX: usize = 100;
/// Tags taken over.
const TAGS_MAX: usize = 20;
/// Windows that our page offers.
const RANGES: [&str; 5] = ["15m", "1h", "6h", "24h", "7d"];

/// `serviceName=a&spanName=b&annotationQuery=error and x=1&lookback=1h` → `traces?service=a&name=b&tag=error&tag=x=1`.
/// Without a question: our first page.
pub(crate) fn search(query: Option<&str>) -> String {
    let asked: Vec<(String, String)> =
        parse(query.unwrap_or("").as_bytes()).into_owned().take(PARAMETERS_MAX).collect();
    let get = |name: &str| {
        let found = asked.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty() && *value != "all")
    };
    if asked.is_empty() {
        return String::new();
    }
    let mut ours = Serializer::new(String::new());
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            ours.append_pair(name, value);
        }
    };
    put("service", get("serviceName"));
    put("name", get("spanName"));
    for tag in get("annotationQuery").unwrap_or("").split(" and ").take(TAGS_MAX) {
        put("tag", Some(tag.trim()).filter(|tag| !tag.is_empty()));
    }
    // A plain number is of microseconds; the newer page writes a unit.
    let min = get("minDuration");
    let plain = min.filter(|min| min.bytes().all(|b| b.is_ascii_digit())).map(|min| format!("{min} us"));
    put("min", plain.as_deref().or(min));
    let instant = |name: &str| get(name)?.parse::<u64>().ok();
    let text = |ms: u64| to_rfc3339(ms.saturating_mul(1_000_000));
    let (lookback, end_ms) = (get("lookback"), instant("endTs"));
    let back_ms = match lookback {
        Some("millis") => instant("millis"),
        Some(length) => milliseconds(length),
        None => None,
    };
    match (lookback, end_ms) {
        (Some("custom" | "range"), _) => {
            put("start", instant("startTs").map(text).as_deref());
            put("end", end_ms.map(text).as_deref());
        }
        // A link that names its end means that window, whenever it is opened.
        (Some(_), Some(end_ms)) => {
            put("start", back_ms.map(|back_ms| text(end_ms.saturating_sub(back_ms))).as_deref());
            put("end", Some(text(end_ms)).as_deref());
        }
        (Some(range), None) if RANGES.contains(&range) => put("range", Some(range)),
        _ => {}
    }
    let ours = ours.finish();
    if ours.is_empty() { "traces".to_owned() } else { format!("traces?{ours}") }
}

/// `15m`, `6h`, `2d`, or a plain number of milliseconds as the oldest page wrote it.
fn milliseconds(length: &str) -> Option<u64> {
    let (number, unit) = match length.as_bytes().last()? {
        b'm' => (&length[..length.len() - 1], 60_000),
        b'h' => (&length[..length.len() - 1], 3_600_000),
        b'd' => (&length[..length.len() - 1], 86_400_000),
        _ => (length, 1),
    };
    number.parse::<u64>().ok().map(|number| number.saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_taken_over() {
        assert_eq!(search(None), "");
        assert_eq!(search(Some("serviceName=all&limit=10")), "traces");
        assert_eq!(
            search(Some(
                "serviceName=Orders&spanName=post%20%2Forders&annotationQuery=error%20and%20order%3D4%262&minDuration=1500&lookback=1h&limit=10"
            )),
            "traces?service=Orders&name=post+%2Forders&tag=error&tag=order%3D4%262&min=1500+us&range=1h"
        );
        assert_eq!(search(Some("minDuration=100ms")), "traces?min=100ms");
        assert_eq!(
            search(Some("lookback=3600000&endTs=1795219200000")),
            "traces?start=2026-11-20T23%3A00%3A00Z&end=2026-11-21T00%3A00%3A00Z"
        );
        for same in ["lookback=1h&endTs=1795219200000", "lookback=millis&millis=3600000&endTs=1795219200000"]
        {
            let window = "traces?start=2026-11-20T23%3A00%3A00Z&end=2026-11-21T00%3A00%3A00Z";
            assert_eq!(search(Some(same)), window, "{same}");
        }
        assert_eq!(search(Some("lookback=é&endTs=1795219200000")), "traces?end=2026-11-21T00%3A00%3A00Z");
        assert_eq!(
            search(Some("lookback=range&startTs=1795215600000&endTs=1795219200000")),
            "traces?start=2026-11-20T23%3A00%3A00Z&end=2026-11-21T00%3A00%3A00Z"
        );
    }

    #[test]
    fn nothing_breaks_out_of_the_address() {
        let hostile = search(Some("serviceName=%0D%0ALocation:%20https://evil.example"));
        assert!(hostile.starts_with("traces?service=") && hostile.bytes().all(|b| b.is_ascii_graphic()));
        assert_eq!(search(Some(&"serviceName=&".repeat(10_000))), "traces");
    }
}
