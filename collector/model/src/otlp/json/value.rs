//! Attributes and their values in OTLP's JSON.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Read;
use super::scalars::list;
use crate::codec::DecodeLimits;
use crate::intern::{Interner, cut};
use crate::json_walk::{JsonWalk, Next};
use crate::{Attributes, Value};

/// Deepest nesting of values: what is read here must also be readable as protobuf, which bounds it to 100 messages.
const NESTING_MAX: usize = 30;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Reads texts and values within limits and notes what was cut.
pub(super) struct Values<'l> {
    pub(super) limits: &'l DecodeLimits,
    interner: Interner,
    /// Set once anything was cut; the caller clears it.
    pub(super) truncated: bool,
}

impl<'l> Values<'l> {
    pub(super) fn new(limits: &'l DecodeLimits) -> Self {
        Self { limits, interner: Interner::default(), truncated: false }
    }

    fn share(&mut self, text: &str) -> Arc<str> {
        let kept = cut(text, self.limits.value_bytes_max);
        self.truncated |= kept.len() < text.len();
        self.interner.share(kept)
    }

    /// A text.
    pub(super) fn text(&mut self, walk: &mut JsonWalk<'_>) -> Read<Arc<str>> {
        let text = walk.text()?;
        Ok(self.share(&text))
    }

    /// Attributes of one level; of a repeated key the last value counts. `dropped` grows by what exceeds the limit.
    pub(super) fn attributes(&mut self, walk: &mut JsonWalk<'_>, dropped: &mut u32) -> Read<Attributes> {
        let mut read: Attributes = Vec::new();
        let mut positions: HashMap<Arc<str>, usize> = HashMap::new();
        list(walk, |walk| {
            let (key, value) = self.pair(walk, NESTING_MAX)?;
            if let Some(position) = positions.get(&key) {
                read[*position].1 = value;
            } else if read.len() >= self.limits.attributes_max {
                self.truncated = true;
                *dropped = dropped.saturating_add(1);
            } else {
                positions.insert(key.clone(), read.len());
                read.push((key, value));
            }
            Ok(())
        })?;
        Ok(read)
    }

    fn pair(&mut self, walk: &mut JsonWalk<'_>, depth: usize) -> Read<(Arc<str>, Value)> {
        let (mut key, mut value) = (None, Value::Empty);
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "key" => key = Some(self.text(walk)?),
                "value" => value = self.value(walk, depth)?,
                _ => walk.skip()?,
            }
        }
        Ok((key.unwrap_or_else(|| "".into()), value))
    }

    /// An `AnyValue`: an object with at most one field that is known.
    fn value(&mut self, walk: &mut JsonWalk<'_>, depth: usize) -> Read<Value> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(walk.error(format!("values nested deeper than {NESTING_MAX}")).into());
        };
        let mut value = Value::Empty;
        walk.object()?;
        while let Some(field) = walk.field()? {
            if walk.null()? {
                continue;
            }
            match &*field {
                "stringValue" | "string_value" => value = Value::String(self.text(walk)?),
                "boolValue" | "bool_value" => value = Value::Bool(walk.bool()?),
                "intValue" | "int_value" => value = Value::Int(integer(walk)?),
                "doubleValue" | "double_value" => value = Value::Double(double(walk)?),
                "bytesValue" | "bytes_value" => value = Value::Bytes(self.bytes(walk)?),
                "arrayValue" | "array_value" => value = Value::Array(self.array(walk, depth)?),
                "kvlistValue" | "kvlist_value" => value = Value::Map(self.map(walk, depth)?),
                _ => walk.skip()?,
            }
        }
        Ok(value)
    }

    /// `{"values": […]}`, each read by `item`.
    fn values<T>(
        &mut self,
        walk: &mut JsonWalk<'_>,
        mut item: impl FnMut(&mut Self, &mut JsonWalk<'_>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let mut items = Vec::new();
        walk.object()?;
        while let Some(field) = walk.field()? {
            match &*field {
                "values" => list(walk, |walk| {
                    items.push(item(self, walk)?);
                    Ok(())
                })?,
                _ => walk.skip()?,
            }
        }
        Ok(items)
    }

    fn array(&mut self, walk: &mut JsonWalk<'_>, depth: usize) -> Read<Vec<Value>> {
        self.values(
            walk,
            |values, walk| {
                if walk.null()? { Ok(Value::Empty) } else { values.value(walk, depth) }
            },
        )
    }

    fn map(&mut self, walk: &mut JsonWalk<'_>, depth: usize) -> Read<Vec<(Arc<str>, Value)>> {
        self.values(walk, |values, walk| values.pair(walk, depth))
    }

    fn bytes(&mut self, walk: &mut JsonWalk<'_>) -> Read<Arc<[u8]>> {
        let text = walk.text()?;
        let bytes = STANDARD.decode(&*text).or_else(|_| URL_SAFE.decode(&*text));
        let Ok(bytes) = bytes else { return Err(walk.error("base64 is expected").into()) };
        let kept = &bytes[..bytes.len().min(self.limits.value_bytes_max)];
        self.truncated |= kept.len() < bytes.len();
        Ok(kept.into())
    }
}

/// A whole number of 64 bits, quoted or not.
fn integer(walk: &mut JsonWalk<'_>) -> Read<i64> {
    let written = match walk.peek()? {
        Next::Text => walk.text()?,
        _ => walk.number()?.into(),
    };
    let number = written.parse::<i64>().ok().or_else(|| {
        let number = written.parse::<f64>().ok()?;
        (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
    });
    number.ok_or_else(|| walk.error("a whole number of 64 bits is expected").into())
}

/// A float, quoted or not; `NaN`, `Infinity` and `-Infinity` are quoted.
fn double(walk: &mut JsonWalk<'_>) -> Read<f64> {
    let written = match walk.peek()? {
        Next::Text => walk.text()?,
        _ => walk.number()?.into(),
    };
    let number = match &*written {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        text if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            text.parse().ok()
        }
        _ => None,
    };
    number.ok_or_else(|| walk.error("a number is expected").into())
}
