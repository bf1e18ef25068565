//! Points as a log body: a table of series, then points that name them by number.

use std::collections::HashMap;

use crate::series::{NumberedPoints, SeriesKey};
use crate::wire::{Malformed, Put, Take};
use crate::{Labels, Point};

/// Writes points.
pub(crate) fn write_points(points: &[Point]) -> Vec<u8> {
    let mut numbers: HashMap<(&str, &Labels), u32> = HashMap::new();
    let mut table = Vec::new();
    let mut rows = Vec::new();
    for point in points {
        let next = numbers.len() as u32;
        let number = *numbers.entry((&point.name, &point.labels)).or_insert_with(|| {
            write_key(&point.name, &point.labels, &mut table);
            next
        });
        rows.put_u32(number);
        rows.put_u64(point.at_ns);
        rows.put_u64(point.value.to_bits());
    }
    let mut out = Vec::with_capacity(8 + table.len() + rows.len());
    out.put_u32(numbers.len() as u32);
    out.extend_from_slice(&table);
    out.put_u32(points.len() as u32);
    out.extend_from_slice(&rows);
    out
}

pub(crate) fn write_key(name: &str, labels: &Labels, out: &mut Vec<u8>) {
    out.put_text(name);
    out.put_u16(labels.len() as u16);
    for (label, value) in labels {
        out.put_text(label);
        out.put_text(value);
    }
}

pub(crate) fn read_key(take: &mut Take<'_>) -> Result<SeriesKey, Malformed> {
    let name = take.text()?.to_owned();
    let mut labels = Labels::new();
    for _ in 0..take.u16()? {
        let label = take.text()?.to_owned();
        labels.insert(label, take.text()?.to_owned());
    }
    Ok(SeriesKey { name, labels })
}

/// Reads what [`write_points`] wrote: the series and the points as (index of the series, time, value).
pub(crate) fn read_points(bytes: &[u8]) -> Result<(Vec<SeriesKey>, NumberedPoints), Malformed> {
    let mut take = Take(bytes);
    let mut keys = Vec::new();
    for _ in 0..take.u32()? {
        keys.push(read_key(&mut take)?);
    }
    let mut points = Vec::new();
    for _ in 0..take.u32()? {
        let point = (take.u32()?, take.u64()?, f64::from_bits(take.u64()?));
        if point.0 as usize >= keys.len() {
            return Err(Malformed("a point of no series"));
        }
        points.push(point);
    }
    Ok((keys, points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_back() {
        let labels = Labels::from([("a".to_owned(), "b".to_owned())]);
        let point =
            |name: &str, at_ns, value| Point { name: name.into(), labels: labels.clone(), at_ns, value };
        let bytes = write_points(&[point("x", 1, 0.5), point("y", 2, -1.0), point("x", 3, 2.0)]);
        let (keys, points) = read_points(&bytes).unwrap();
        assert_eq!(keys.iter().map(|k| k.name.as_str()).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(points, [(0, 1, 0.5), (1, 2, -1.0), (0, 3, 2.0)]);
        assert!(read_points(&bytes[..bytes.len() - 1]).is_err());
    }
}
