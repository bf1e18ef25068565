//! One point as one line of line protocol. Everything the server would refuse a whole batch for is settled here.

use influxdb2::models::{DataPoint, WriteDataPoint};
use tracepact_store::Point;

/// The one field of every measurement. Always a float: a field keeps the type of its first value for ever.
const FIELD: &str = "value";

/// Why a point is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not a number, or infinite: line protocol has neither.
    #[error("not a finite number")]
    NotFinite,
    /// The measurement has no name.
    #[error("no name")]
    NoName,
    /// The time does not fit line protocol's signed nanoseconds.
    #[error("time out of range")]
    Time,
    /// The builder refused it.
    #[error("could not be written as a line")]
    Unwritable,
}

impl LineError {
    /// The value of the `reason` label.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::NoName => "no_name",
            Self::Time => "time",
            Self::Unwritable => "unwritable",
        }
    }
}

/// Writes `point` to `out`: measurement = name, tags = labels, field `value`, time in nanoseconds.
///
/// # Errors
/// When the point has no form in line protocol; `out` is then unchanged.
pub fn line(point: &Point, out: &mut Vec<u8>) -> Result<(), LineError> {
    if !point.value.is_finite() {
        return Err(LineError::NotFinite);
    }
    let name = clean(&point.name);
    if name.is_empty() {
        return Err(LineError::NoName);
    }
    let at = i64::try_from(point.at_ns).map_err(|_| LineError::Time)?;
    let mut builder = DataPoint::builder(name).field(FIELD, point.value).timestamp(at);
    for (key, value) in &point.labels {
        let value = clean(value);
        // An empty tag value does not parse; a missing tag means the same.
        if !value.is_empty() {
            builder = builder.tag(tag_key(key), value);
        }
    }
    let point = builder.build().map_err(|_| LineError::Unwritable)?;
    let start = out.len();
    point.write_data_point_to(&mut *out).map_err(|_| {
        out.truncate(start);
        LineError::Unwritable
    })
}

/// A tag may not share its name with the field, nor be called `time`.
fn tag_key(key: &str) -> String {
    let key = clean(key);
    match key.as_str() {
        "" => "_".to_owned(),
        FIELD | "time" => format!("{key}_"),
        _ => key,
    }
}

/// Control characters (a newline ends the line) become spaces. A backslash that the server would read together with
/// what follows it (a delimiter, another such backslash, or the end) becomes a slash: there is no way to write it.
fn clean(text: &str) -> String {
    let mut reversed = String::with_capacity(text.len());
    let mut before_special = true;
    for c in text.chars().rev() {
        let c = match c {
            '\\' if before_special => '/',
            c if c.is_control() => ' ',
            c => c,
        };
        before_special = match c {
            ',' | '=' | ' ' => true,
            '/' => before_special,
            _ => false,
        };
        reversed.push(c);
    }
    reversed.chars().rev().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Tags = Vec<(String, String)>;

    /// Reads a line as the server does: a backslash takes whatever follows it along.
    fn read(line: &str) -> Option<(Tags, f64, i64)> {
        let mut parts = vec![String::new()];
        let mut chars = line.strip_suffix('\n')?.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next()? {
                    escaped @ (',' | '=' | ' ') => parts.last_mut()?.push(escaped),
                    other => parts.last_mut()?.extend(['\\', other]),
                },
                // Delimiters become characters that no cleaned name has.
                ',' => parts.last_mut()?.push('\u{1}'),
                '=' => parts.last_mut()?.push('\u{2}'),
                ' ' => parts.push(String::new()),
                '\n' => return None,
                c => parts.last_mut()?.push(c),
            }
        }
        let [series, field, at] = parts.try_into().ok()?;
        let tags = series.split('\u{1}').skip(1).map(|tag| {
            let (key, value) = tag.split_once('\u{2}')?;
            (!key.is_empty() && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
        });
        Some((
            tags.collect::<Option<_>>()?,
            field.strip_prefix("value\u{2}")?.parse().ok()?,
            at.parse().ok()?,
        ))
    }

    proptest! {
        #[test]
        fn any_point_is_one_line_that_reads_back(
            labels in proptest::collection::btree_map("[a-z]{1,6}", "[\\PC\\\\,= \n]{0,12}", 0..4),
            value in proptest::num::f64::NORMAL,
        ) {
            prop_assume!(!labels.contains_key("value") && !labels.contains_key("time"));
            let point = Point { name: "m".to_owned(), labels: labels.clone(), at_ns: 7, value };
            let mut out = Vec::new();
            line(&point, &mut out).unwrap();
            let (tags, read_value, at) = read(std::str::from_utf8(&out).unwrap()).unwrap();
            let expected: Vec<_> =
                labels.into_iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k, clean(&v))).collect();
            prop_assert_eq!(tags, expected);
            prop_assert_eq!((read_value, at), (value, 7));
        }
    }

    fn write(labels: &[(&str, &str)], value: f64) -> Result<String, LineError> {
        let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let point = Point {
            name: "tracepact_breaker_state".to_owned(),
            labels,
            at_ns: 1_700_000_000_000_000_001,
            value,
        };
        let mut out = Vec::new();
        line(&point, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn the_field_is_always_a_float() {
        assert_eq!(
            write(&[("service", "orders")], 1.0).unwrap(),
            "tracepact_breaker_state,service=orders value=1 1700000000000000001\n"
        );
        assert!(!write(&[], 3.0).unwrap().contains("3i"));
    }

    #[test]
    fn delimiters_are_escaped_and_newlines_do_not_end_the_line() {
        let text = write(&[("service", "a b,c=d\ne")], 1.0).unwrap();
        assert_eq!(text, "tracepact_breaker_state,service=a\\ b\\,c\\=d\\ e value=1 1700000000000000001\n");
    }

    #[test]
    fn a_backslash_at_the_end_does_not_reach_the_server() {
        assert!(write(&[("service", "C:\\dir\\")], 1.0).unwrap().contains("service=C:\\dir/ value"));
        assert!(write(&[("service", "a\\\\,b")], 1.0).unwrap().contains("service=a//\\,b value"));
        assert!(write(&[("service", "a\\\nb")], 1.0).unwrap().contains("service=a/\\ b value"));
    }

    #[test]
    fn what_does_not_parse_is_left_out_or_refused() {
        assert!(write(&[("service", "")], 1.0).unwrap().starts_with("tracepact_breaker_state value="));
        assert!(write(&[("value", "x"), ("time", "y")], 1.0).unwrap().contains(",time_=y,value_=x "));
        assert_eq!(write(&[], f64::NAN), Err(LineError::NotFinite));
        assert_eq!(write(&[], f64::INFINITY), Err(LineError::NotFinite));
    }
}
