//! Query parameters of the native API: each is known, well formed and within its bounds, or the request is refused.

use std::collections::VecDeque;

use tracepact_base::time_format::from_rfc3339;
use tracepact_listener::Problem;

/// Most parameters of one request.
const PARAMETERS_MAX: usize = 100;

/// The parameters not yet looked at.
pub(crate) struct Params {
    left: VecDeque<(String, String)>,
    known: Vec<&'static str>,
}

impl Params {
    pub(crate) fn of(query: Option<&str>) -> Result<Self, Problem> {
        let left: VecDeque<_> = url::form_urlencoded::parse(query.unwrap_or("").as_bytes())
            .into_owned()
            .take(PARAMETERS_MAX + 1)
            .collect();
        if left.len() > PARAMETERS_MAX {
            return Err(Problem::invalid(format!("a question has at most {PARAMETERS_MAX} parameters")));
        }
        Ok(Self { left, known: Vec::new() })
    }

    /// All values of `name`, in order.
    pub(crate) fn many(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let (found, left) = std::mem::take(&mut self.left).into_iter().partition(|(key, _)| key == name);
        self.left = left;
        let found: VecDeque<(String, String)> = found;
        found.into_iter().map(|(_, value)| value).filter(|value| !value.trim().is_empty()).collect()
    }

    /// The value of `name`; empty counts as absent.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        let mut values = self.many(name);
        match values.len() {
            0 | 1 => Ok(values.pop().map(|value| value.trim().to_owned())),
            _ => Err(Problem::invalid(format!("{name} is given {} times", values.len()))),
        }
    }

    /// An instant, in nanoseconds since 1970.
    pub(crate) fn instant(&mut self, name: &'static str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        // An offset's plus sign that was not percent-encoded arrives as a space.
        from_rfc3339(&text).or_else(|| from_rfc3339(&text.replace(' ', "+"))).map(Some).ok_or_else(|| {
            Problem::invalid(format!("{name} is not an RFC 3339 time such as 2026-11-21T03:04:05Z: {text:?}"))
        })
    }

    /// A length of time given in microseconds, in nanoseconds.
    pub(crate) fn microseconds(&mut self, name: &'static str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(us) if us.is_finite() && (0.0..=1e15).contains(&us) => Ok(Some((us * 1_000.0).round() as u64)),
            _ => Err(Problem::invalid(format!(
                "{name} is not a number of microseconds from 0 to 1e15: {text:?}"
            ))),
        }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Problem::invalid(format!("{name} is true or false, not {other:?}"))),
        }
    }

    /// A count from 1 to `most`.
    pub(crate) fn limit(
        &mut self,
        name: &'static str,
        default: usize,
        most: usize,
    ) -> Result<usize, Problem> {
        match self.text(name)? {
            None => Ok(default),
            Some(text) => match text.parse() {
                Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
                _ => {
                    Err(Problem::invalid(format!("{name} is a whole number from 1 to {most}, not {text:?}")))
                }
            },
        }
    }

    /// All parameters that begin with `prefix`, without it.
    pub(crate) fn prefixed(&mut self, prefix: &'static str) -> Vec<(String, String)> {
        self.known.push(prefix);
        let (found, left): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|(key, _): &(String, String)| key.starts_with(prefix));
        self.left = left;
        found.into_iter().map(|(key, value)| (key[prefix.len()..].to_owned(), value)).collect()
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.left.front() {
            None => Ok(()),
            Some((name, _)) if self.known.is_empty() => {
                Err(Problem::invalid(format!("this takes no parameters, but {name:?} is given")))
            }
            Some((name, _)) => Err(Problem::invalid(format!(
                "the parameter {name:?} is not known here: these are: {}",
                self.known.join(", ")
            ))),
        }
    }
}

/// A window from `start` to `end`; the last `default_ns` when neither is given.
pub(crate) fn window(params: &mut Params, default_ns: u64, now_ns: u64) -> Result<(u64, u64), Problem> {
    let (start, end) = (params.instant("start")?, params.instant("end")?);
    let until = end.unwrap_or(now_ns);
    let from = start.unwrap_or_else(|| until.saturating_sub(default_ns));
    if from > until {
        return Err(Problem::invalid("start lies after end"));
    }
    // Without an end, what senders with fast clocks have stamped a little ahead of now belongs to the answer.
    let slack = if end.is_none() { AHEAD_NS } else { 0 };
    Ok((from, until.saturating_add(slack)))
}

/// How far ahead of now "now" reaches.
pub(crate) const AHEAD_NS: u64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn params(text: &str) -> Params {
        Params::of(Some(text)).unwrap()
    }

    #[test]
    fn unknown_and_repeated_parameters_are_refused_by_name() {
        let mut one = params("service=a&servise=b");
        assert_eq!(one.text("service").unwrap().as_deref(), Some("a"));
        let refusal = one.finish().unwrap_err();
        assert!(refusal.detail().contains("servise") && refusal.detail().contains("service"));
        assert!(params("a=1&a=2").text("a").unwrap_err().detail().contains("2 times"));
        assert!(params("x=1").finish().unwrap_err().detail().contains("no parameters"));
    }

    #[test]
    fn instants_take_a_plus_that_was_not_encoded() {
        let at = params("t=2026-11-21T01:00:00+01:00").instant("t").unwrap();
        assert_eq!(at, from_rfc3339("2026-11-21T00:00:00Z"));
        assert!(params("t=yesterday").instant("t").is_err());
    }

    #[test]
    fn numbers_keep_their_bounds() {
        assert_eq!(params("d=1.5").microseconds("d").unwrap(), Some(1_500));
        assert!(params("d=-1").microseconds("d").is_err());
        assert!(params("d=NaN").microseconds("d").is_err());
        assert!(params("l=0").limit("l", 5, 10).is_err());
        assert!(params("l=11").limit("l", 5, 10).is_err());
        assert_eq!(params("").limit("l", 5, 10).unwrap(), 5);
        assert!(params("f=yes").flag("f").is_err());
    }

    #[test]
    fn a_window_is_in_order() {
        let refused = window(&mut params("start=2026-11-21T01:00:00Z&end=2026-11-21T00:00:00Z"), 1, 9);
        assert!(refused.is_err());
        assert_eq!(window(&mut params(""), 5, 10).unwrap(), (5, 10 + AHEAD_NS));
    }

    #[test]
    fn prefixed_parameters_lose_their_prefix() {
        let mut labels = params("label.a=1&name=x&label.b=2");
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(labels.prefixed("label."), [pair("a", "1"), pair("b", "2")]);
        assert_eq!(labels.text("name").unwrap().as_deref(), Some("x"));
    }
}
