//! Which partitions a member of a group owns, from its assignment (Kafka's ConsumerProtocolAssignment).

use super::Place;

/// The partitions in an assignment; what cannot be read ends the list, for other protocols than consumers' may be in it.
pub(crate) fn owned_partitions(assignment: &[u8]) -> Vec<Place> {
    let mut owned = Vec::new();
    // None means that it ended early: what was read until then stands.
    let _complete = read(assignment, &mut owned);
    owned
}

fn read(mut rest: &[u8], owned: &mut Vec<Place>) -> Option<()> {
    let (_version, after) = rest.split_first_chunk::<2>()?;
    rest = after;
    for _ in 0..count(&mut rest)? {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let topic = std::str::from_utf8(after.get(..length)?).ok()?;
        rest = &after[length..];
        for _ in 0..count(&mut rest)? {
            owned.push((topic.to_owned(), number(&mut rest)?));
        }
    }
    Some(())
}

fn number(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

fn count(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(number(rest)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_and_a_broken_one_ends_early() {
        let mut bytes = vec![0, 1, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 5];
        bytes.extend([0, 0, 0, 0]);
        assert_eq!(owned_partitions(&bytes), [("t".to_owned(), 0), ("t".to_owned(), 5)]);
        assert_eq!(owned_partitions(&bytes[..17]), [("t".to_owned(), 0)]);
        assert_eq!(owned_partitions(&[0xff; 40]), []);
    }
}
