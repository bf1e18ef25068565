//! What a person sees: each scene with what happened, where to look, and the line that proves it.

/// What a scene observed.
pub(crate) struct Observed {
    /// What happened, in a sentence or two.
    pub(crate) text: String,
    /// Path of the page to look at.
    pub(crate) page: String,
    /// The request that proves it, as a path of the API.
    pub(crate) proof: String,
}

pub(crate) fn heading(number: usize, title: &str) {
    println!("\n── {number}. {title}");
}

/// A step inside a scene.
pub(crate) fn step(text: &str) {
    println!("   · {text}");
}

pub(crate) fn shown(observed: &Observed, base: &str) {
    println!("   {}", observed.text);
    println!("   look:  {base}{}", observed.page);
    println!("   prove: curl -s '{base}{}'", observed.proof);
}

pub(crate) fn failed(error: &anyhow::Error) {
    println!("   FAILED: {error:#}");
}
