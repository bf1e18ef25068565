//! The work that benchmarks measure: generated spans, for the program beside this library and for the Criterion benches.
//!
//! What it deliberately does not do: measure. See `main.rs` for servers and whole stages, `benches/` for single parts.

pub mod generate;
