//! Text as string literals that mean it, whatever it is. The result is printable ASCII without line ends.

/// A Rust string literal.
pub(super) fn rust(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        }
    }
    out.push('"');
    out
}

/// A Java string literal. No backslash of the text stands as one, and no `\u` of ours is anything but a character
/// beyond ASCII: `\134` is the backslash, `\042` the quote, `\012` the line feed.
pub(super) fn java(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match unit {
            0..=0x7f if is_harmless(char::from(unit as u8)) => out.push(char::from(unit as u8)),
            // Octal escapes are read with the literal, not before it; three digits, so that none is swallowed.
            0..=0xff => out.push_str(&format!("\\{unit:03o}")),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

/// Letters, digits and punctuation that begins, ends or escapes nothing in either language.
fn is_harmless(c: char) -> bool {
    c.is_ascii_alphanumeric() || " !#$%&()+,-.:;<=>?@[]^_{|}~".contains(c)
}
