//! Attributes of rows from their shapes, the columns of frequent keys, and the rest.

use std::collections::HashMap;
use std::sync::Arc;

use tracepact_model::columnar::{ValueType, read_typed};
use tracepact_model::{Attributes, Value};

use super::pages::Failure;
use super::rows::{BAD, Memo, RowReader, Shape, Texts};

/// Attributes of rows from their shapes, their columns and the rest.
pub(super) struct AttributeReader<'r> {
    reader: &'r RowReader<'r>,
    shapes: Vec<Arc<Shape>>,
    /// Read once a row needs it.
    rest: Option<Texts>,
    columns: HashMap<(Arc<str>, ValueType), usize, foldhash::fast::RandomState>,
    /// Read once a row needs them.
    texts: Vec<Option<Texts>>,
    /// Of the shape that was looked at last, which most rows share: where each key's values are.
    last: Option<(Arc<Shape>, Arc<[Source]>)>,
}

/// Where the values of a key are.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// In a column: its number in `texts`.
    Column(usize),
    /// Among the values without a column, at this place.
    Rest(usize),
}

impl<'r> AttributeReader<'r> {
    pub(super) fn new(reader: &'r RowReader<'r>) -> Result<Self, Failure> {
        let mut memo = Memo::new(&reader.opened.cache.shapes);
        let shapes = reader.texts("attribute_shape")?.into_iter().map(|text| {
            memo.get(&text.ok_or(BAD)?, |text| {
                let keys: Vec<(String, String)> = serde_json::from_str(text)?;
                let read = |(key, letter): (String, String)| {
                    Ok((key.into(), ValueType::from_letter(&letter).ok_or(BAD)?))
                };
                keys.into_iter().map(read).collect()
            })
        });
        let shapes = shapes.collect::<Result<Vec<_>, Failure>>()?;
        let (columns, texts) = (HashMap::default(), Vec::new());
        Ok(Self { reader, shapes, rest: None, columns, texts, last: None })
    }

    /// Where the values of each key of a shape are.
    fn sources(&mut self, shape: &Arc<Shape>) -> Arc<[Source]> {
        if let Some((known, sources)) = &self.last
            && Arc::ptr_eq(known, shape)
        {
            return sources.clone();
        }
        let mut without_column = 0;
        let sources = shape.iter().map(|(key, kind)| {
            if self.reader.opened.attribute(key, *kind).is_none() {
                without_column += 1;
                return Source::Rest(without_column - 1);
            }
            let next = self.texts.len();
            let number = *self.columns.entry((key.clone(), *kind)).or_insert(next);
            if number == next {
                self.texts.push(None);
            }
            Source::Column(number)
        });
        let sources: Arc<[Source]> = sources.collect();
        self.last = Some((shape.clone(), sources.clone()));
        sources
    }

    /// All attributes of a row.
    pub(super) fn row(&mut self, i: usize) -> Result<Attributes, Failure> {
        let shape = self.shapes.get(i).ok_or(BAD)?.clone();
        let mut attributes = Vec::with_capacity(shape.len());
        self.each(i, &shape, |_| true, |key, value| attributes.push((key.clone(), value)))?;
        Ok(attributes)
    }

    /// Whether a row has an attribute with this key.
    pub(super) fn has(&self, i: usize, key: &str) -> bool {
        self.shapes.get(i).is_some_and(|shape| shape.iter().any(|(known, _)| **known == *key))
    }

    /// Of each row whether it has an attribute with this key whose text form is `value`; reads the key's columns alone.
    pub(super) fn rows_where(&mut self, key: &str, value: &str) -> Result<Vec<bool>, Failure> {
        let shapes = self.shapes.clone();
        let of_row = |(i, shape): (usize, &Arc<Shape>)| {
            let mut found = false;
            self.each(i, shape, |known| known == key, |_, of| found |= of.text() == *value)?;
            Ok(found)
        };
        shapes.iter().enumerate().map(of_row).collect()
    }

    /// Gives the values of the keys that `wanted` names, in their order.
    fn each(
        &mut self,
        i: usize,
        shape: &Arc<Shape>,
        wanted: impl Fn(&str) -> bool,
        mut give: impl FnMut(&Arc<str>, Value),
    ) -> Result<(), Failure> {
        let mut rest: Option<Vec<String>> = None;
        let sources = self.sources(shape);
        for ((key, kind), source) in shape.iter().zip(sources.iter()) {
            if !wanted(key) {
                continue;
            }
            let text: Arc<str> = match source {
                Source::Column(number) => {
                    let texts = self.column(*number, key, *kind)?;
                    texts.get(i).cloned().flatten().ok_or(BAD)?
                }
                Source::Rest(place) => {
                    let rest = match &mut rest {
                        Some(rest) => rest,
                        None => rest.insert(self.rest(i)?),
                    };
                    rest.get_mut(*place).map(std::mem::take).ok_or(BAD)?.into()
                }
            };
            let value = match kind {
                ValueType::Text => Value::String(text),
                kind => read_typed(*kind, &text)?,
            };
            give(key, value);
        }
        Ok(())
    }

    /// Values of a row's attributes that have no column.
    fn rest(&mut self, i: usize) -> Result<Vec<String>, Failure> {
        let rest = match &self.rest {
            Some(rest) => rest,
            None => self.rest.insert(self.reader.texts("attribute_rest")?),
        };
        let text = rest.get(i).and_then(Option::as_ref);
        text.map_or_else(|| Ok(Vec::new()), |text| Ok(serde_json::from_str(text)?))
    }

    /// The column of a key, read once for all rows.
    fn column(&mut self, number: usize, key: &str, kind: ValueType) -> Result<&Texts, Failure> {
        let reader = self.reader;
        let texts = self.texts.get_mut(number).ok_or(BAD)?;
        match texts {
            Some(texts) => Ok(texts),
            None => {
                let column = reader.opened.attribute(key, kind).ok_or(BAD)?;
                let read = column.texts(&reader.opened.rows, reader.first, reader.rows, reader.budget)?;
                Ok(texts.insert(read))
            }
        }
    }
}
