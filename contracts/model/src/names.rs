//! Names that come from pipelines: pacticipants, versions, branches, tags, environments. Any text that fits into a
//! line is one, slashes and spaces included; what cannot be put into a path or a log line is refused.

/// Longest name in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Empty or only white space.
    #[error("{0} can't be blank")]
    Blank(&'static str),
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("{what} has {len} bytes, at most {NAME_BYTES_MAX} are allowed")]
    TooLong {
        /// What was named.
        what: &'static str,
        /// Length found.
        len: usize,
    },
    /// A tab, a newline or another control character.
    #[error("{what} contains the control character {character:?}")]
    Control {
        /// What was named.
        what: &'static str,
        /// The first one found.
        character: char,
    },
    /// `.` or `..`: HTTP clients remove these from a path, so nothing of that name could be asked for.
    #[error("{0} can't be '.' or '..'")]
    Dots(&'static str),
}

/// Checks `text` as the name of `what` (for example `pacticipant name`) and returns it without outer white space.
pub fn check_name<'a>(what: &'static str, text: &'a str) -> Result<&'a str, NameProblem> {
    let name = text.trim();
    if name.is_empty() {
        return Err(NameProblem::Blank(what));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(NameProblem::TooLong { what, len: name.len() });
    }
    if let Some(character) = name.chars().find(|c| c.is_control()) {
        return Err(NameProblem::Control { what, character });
    }
    if name == "." || name == ".." {
        return Err(NameProblem::Dots(what));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_slashes_but_no_control_characters() {
        assert_eq!(check_name("branch", " feat/ü x "), Ok("feat/ü x"));
        assert!(check_name("branch", "a\tb").is_err());
        assert!(check_name("branch", " ").is_err());
        assert!(check_name("branch", "..").is_err());
        assert!(check_name("branch", &"x".repeat(256)).is_err());
    }
}
