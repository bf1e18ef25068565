//! The words under which traces are found in a block's index, as 64-bit hashes. A collision costs a look at rows.

use tracepact_model::Span;

use crate::{Predicate, eval};

/// FNV-1a over the parts, each closed by a byte that UTF-8 never has, then mixed.
fn hash(kind: u8, parts: &[&str]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    eat(kind);
    for part in parts {
        part.bytes().for_each(&mut eat);
        eat(0xff);
    }
    state ^= state >> 32;
    state = state.wrapping_mul(0xd6e8_feb8_6659_fd93);
    state ^ state >> 32
}

/// The term of a condition (names lowered); `None` when the index does not know it.
pub(crate) fn of_predicate(predicate: &Predicate) -> Option<u64> {
    Some(match predicate {
        Predicate::Service(name) => hash(b's', &[name]),
        Predicate::RemoteService(name) => hash(b'r', &[name]),
        Predicate::Name(name) => hash(b'n', &[name]),
        Predicate::Tag(key, value) => hash(b't', &[key, value]),
        Predicate::AnnotationOrKey(text) => hash(b'k', &[text]),
        Predicate::Error => hash(b'e', &[]),
        Predicate::Duration { .. } => return None,
    })
}

/// Calls `add` with every term of a row; some more than once.
pub(crate) fn of_row(row: &Span, mut add: impl FnMut(u64)) {
    if let Some(name) = &row.local.service_name {
        add(hash(b's', &[&name.to_lowercase()]));
    }
    if let Some(name) = &row.remote.service_name {
        add(hash(b'r', &[&name.to_lowercase()]));
    }
    add(hash(b'n', &[&row.name.to_lowercase()]));
    for (key, value) in row.attributes.iter().chain(&row.resource.attributes) {
        add(hash(b'k', &[key]));
        add(hash(b't', &[key, &value.text()]));
    }
    for key in ["error", "otel.status_code"] {
        if let Some(value) = eval::status_tag(row, key) {
            add(hash(b'k', &[key]));
            add(hash(b't', &[key, value]));
        }
    }
    for event in &row.events {
        add(hash(b'k', &[&event.name]));
    }
    if row.is_error() {
        add(hash(b'e', &[]));
    }
}
