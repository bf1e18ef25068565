//! Lists, numbers, names of enumerations and ids in hex.

use super::Read;
use crate::json_walk::{JsonWalk, Next};

/// Items of a list; `null` is an empty one.
pub(super) fn list<'t>(
    walk: &mut JsonWalk<'t>,
    mut item: impl FnMut(&mut JsonWalk<'t>) -> Read<()>,
) -> Read<()> {
    if walk.null()? {
        return Ok(());
    }
    walk.list()?;
    while walk.item()? {
        item(walk)?;
    }
    Ok(())
}

pub(super) fn add(count: &mut u32, more: u32) {
    *count = count.saturating_add(more);
}

/// An enumeration's number, or its name; numbers of a newer version are taken.
pub(super) fn enumeration(walk: &mut JsonWalk<'_>, names: &[&str]) -> Read<i32> {
    let text = match walk.peek()? {
        Next::Text => walk.text()?,
        _ => walk.number()?.into(),
    };
    let number = names.iter().position(|name| *name == text).and_then(|number| i32::try_from(number).ok());
    match number.or_else(|| text.parse().ok()) {
        Some(number) => Ok(number),
        None => Err(walk.error("a number of the enumeration is expected").into()),
    }
}

/// A whole number that is not negative, quoted or not.
pub(super) fn unsigned<T: TryFrom<u64>>(walk: &mut JsonWalk<'_>) -> Read<T> {
    let written = match walk.peek()? {
        Next::Text => walk.text()?,
        _ => walk.number()?.into(),
    };
    let number = written.parse::<u64>().ok().or_else(|| {
        // Some writers print floats; one that is whole and exact is meant so.
        let number = written.parse::<f64>().ok()?;
        (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    });
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| walk.error("a whole number that is not negative is expected").into())
}

/// Bytes written in hex. Their number is judged where it is known which id it is.
pub(super) fn hex(walk: &mut JsonWalk<'_>) -> Read<Vec<u8>> {
    let text = walk.text()?;
    // Longer ones are wrong anyway, and need not be kept.
    let text = &text.as_bytes()[..text.len().min(64)];
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = text
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect();
    bytes.ok_or_else(|| walk.error("an id in hex is expected").into())
}
