//! Fuzz target of the one parser of network text that stands in this crate. Not part of the crate's promises.

use crate::zipkin_page::old_links;

/// An address of Zipkin's page: an address of ours, printable and bounded, whatever it says; never a panic.
pub fn fuzz_old_link(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let target = old_links::search(Some(&text));
    assert!(target.is_empty() || target == "traces" || target.starts_with("traces?"), "{target}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
    assert!(target.len() <= 3 * text.len() * 3 + 200, "{} bytes from {}", target.len(), text.len());
}
