//! `AnyValue` to the row's values and back.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Proto,
};

use crate::codec::DecodeLimits;
use crate::intern::{Interner, cut};
use crate::{Attributes, Value};

/// Reads attributes and notes what was cut.
pub(super) struct ValueReader<'l> {
    pub(super) limits: &'l DecodeLimits,
    pub(super) interner: Interner,
    /// Set once anything was cut; the caller clears it for each span.
    pub(super) truncated: bool,
}

impl ValueReader<'_> {
    pub(super) fn share(&mut self, text: &str) -> Arc<str> {
        let kept = cut(text, self.limits.value_bytes_max);
        self.truncated |= kept.len() < text.len();
        self.interner.share(kept)
    }

    /// Attributes of one level; of a repeated key the last value counts. `dropped` grows by what exceeds the limit.
    pub(super) fn attributes(&mut self, proto: Vec<KeyValue>, dropped: &mut u32) -> Attributes {
        let mut read: Attributes = Vec::with_capacity(proto.len().min(self.limits.attributes_max));
        let mut positions = std::collections::HashMap::new();
        for pair in proto {
            let key = self.share(&pair.key);
            let value = self.value(pair.value);
            if let Some(position) = positions.get(&key) {
                let slot: &mut (Arc<str>, Value) = &mut read[*position];
                slot.1 = value;
            } else if read.len() >= self.limits.attributes_max {
                self.truncated = true;
                *dropped = dropped.saturating_add(1);
            } else {
                positions.insert(key.clone(), read.len());
                read.push((key, value));
            }
        }
        read
    }

    fn value(&mut self, proto: Option<AnyValue>) -> Value {
        match proto.and_then(|any| any.value) {
            None => Value::Empty,
            Some(Proto::StringValue(text)) => Value::String(self.share(&text)),
            Some(Proto::BoolValue(flag)) => Value::Bool(flag),
            Some(Proto::IntValue(number)) => Value::Int(number),
            Some(Proto::DoubleValue(number)) => Value::Double(number),
            Some(Proto::BytesValue(bytes)) => {
                let kept = &bytes[..bytes.len().min(self.limits.value_bytes_max)];
                self.truncated |= kept.len() < bytes.len();
                Value::Bytes(kept.into())
            }
            Some(Proto::ArrayValue(list)) => {
                Value::Array(list.values.into_iter().map(|item| self.value(Some(item))).collect())
            }
            Some(Proto::KvlistValue(map)) => Value::Map(
                map.values.into_iter().map(|pair| (self.share(&pair.key), self.value(pair.value))).collect(),
            ),
            // An index into a string table that only profiles have.
            Some(Proto::StringValueStrindex(_)) => Value::Empty,
        }
    }
}

pub(super) fn write_attributes(attributes: &Attributes) -> Vec<KeyValue> {
    attributes.iter().map(|(key, value)| write_pair(key, value)).collect()
}

pub(super) fn write_pair(key: &str, value: &Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(write_value(value)), ..KeyValue::default() }
}

fn write_value(value: &Value) -> AnyValue {
    let proto = match value {
        Value::String(text) => Proto::StringValue(text.as_ref().to_owned()),
        Value::Bool(flag) => Proto::BoolValue(*flag),
        Value::Int(number) => Proto::IntValue(*number),
        Value::Double(number) => Proto::DoubleValue(*number),
        Value::Bytes(bytes) => Proto::BytesValue(bytes.to_vec()),
        Value::Array(values) => {
            Proto::ArrayValue(ArrayValue { values: values.iter().map(write_value).collect() })
        }
        Value::Map(entries) => Proto::KvlistValue(KeyValueList {
            values: entries.iter().map(|(key, value)| write_pair(key, value)).collect(),
        }),
        Value::Empty => return AnyValue::default(),
    };
    AnyValue { value: Some(proto) }
}
