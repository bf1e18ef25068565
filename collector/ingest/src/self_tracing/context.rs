//! The caller's trace context: W3C `traceparent`, B3 in one header or several.

use http::HeaderMap;

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) sampled: bool,
}

/// The caller's context, if the request carries one that is well formed. An undecided caller counts as sampled: the
/// sampler here decides.
pub(super) fn of(headers: &HeaderMap) -> Option<Caller> {
    let get = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(caller) = get("traceparent").and_then(w3c) {
        return Some(caller);
    }
    if let Some(caller) = get("b3").and_then(b3) {
        return Some(caller);
    }
    let sampled = !matches!(get("x-b3-sampled"), Some("0" | "false"));
    let debug = get("x-b3-flags") == Some("1");
    caller(get("x-b3-traceid")?, get("x-b3-spanid")?, sampled || debug)
}

/// `00-{32 hex}-{16 hex}-{2 hex}`.
fn w3c(text: &str) -> Option<Caller> {
    let mut parts = text.trim().split('-');
    let version = parts.next()?;
    let (trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?);
    let shaped = version.len() == 2 && version != "ff" && trace_id.len() == 32 && span_id.len() == 16;
    if !shaped || flags.len() != 2 || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    caller(trace_id, span_id, flags & 1 == 1)
}

/// `{16 or 32 hex}-{16 hex}[-{0, 1 or d}[-{16 hex}]]`.
fn b3(text: &str) -> Option<Caller> {
    let mut parts = text.trim().split('-');
    let (trace_id, span_id) = (parts.next()?, parts.next()?);
    caller(trace_id, span_id, parts.next() != Some("0"))
}

fn caller(trace_id: &str, span_id: &str, sampled: bool) -> Option<Caller> {
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !hex(trace_id) || !hex(span_id) || trace_id.len() > 32 || span_id.len() > 16 {
        return None;
    }
    let trace_id = u128::from_str_radix(trace_id, 16).ok().filter(|id| *id != 0)?;
    let span_id = u64::from_str_radix(span_id, 16).ok().filter(|id| *id != 0)?;
    Some(Caller { trace_id, span_id, sampled })
}

/// Fuzz target: no header panics.
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for found in [w3c(&text), b3(&text)].into_iter().flatten() {
        assert!(found.trace_id != 0 && found.span_id != 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect::<HeaderMap>()
    }

    #[test]
    fn each_form_is_read() {
        let wanted = Some(Caller { trace_id: 0x463a_c35c_9f64_13ad, span_id: 0xa2fb, sampled: true });
        for pairs in [
            vec![("traceparent", "00-0000000000000000463ac35c9f6413ad-000000000000a2fb-01")],
            vec![("b3", "463ac35c9f6413ad-000000000000a2fb-1")],
            vec![("b3", "463ac35c9f6413ad-000000000000a2fb")],
            vec![("x-b3-traceid", "463ac35c9f6413ad"), ("x-b3-spanid", "000000000000a2fb")],
        ] {
            assert_eq!(of(&headers(&pairs)), wanted, "{pairs:?}");
        }
        let not = of(&headers(&[("traceparent", "00-0000000000000000463ac35c9f6413ad-000000000000a2fb-00")]));
        assert!(not.is_some_and(|caller| !caller.sampled));
        assert!(of(&headers(&[("b3", "1-2-0")])).is_some_and(|caller| !caller.sampled));
    }

    #[test]
    fn what_is_malformed_is_no_context() {
        for bad in [
            "",
            "00-0-0-01",
            "ff-0000000000000000463ac35c9f6413ad-000000000000a2fb-01",
            "0",
            "-",
            "0-0-1",
            "XYZ-1",
        ] {
            assert_eq!(of(&headers(&[("traceparent", bad), ("b3", bad)])), None, "{bad}");
        }
    }
}
