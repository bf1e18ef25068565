//! Property tests of the loss rules.
