//! Standard output for one JSON document: the Pact project's verifier writes its own text there, which would stand before it.

use std::io::Write;

use tracepact_verify::Error;

/// Does `work`; when `json`, whatever is written to standard output meanwhile goes to standard error.
pub(super) async fn free_for_json<T>(json: bool, work: impl Future<Output = T>) -> Result<T, Error> {
    if !json {
        return Ok(work.await);
    }
    let turned = Turned::to_standard_error()
        .map_err(|e| Error::Usage(format!("standard output cannot be kept for JSON: {e}")))?;
    let done = work.await;
    drop(turned);
    Ok(done)
}

/// Standard output as it was; it is that again when this is dropped.
struct Turned(std::os::fd::OwnedFd);

impl Turned {
    fn to_standard_error() -> std::io::Result<Self> {
        std::io::stdout().flush()?;
        let own = rustix::io::dup(std::io::stdout())?;
        rustix::stdio::dup2_stdout(std::io::stderr())?;
        Ok(Self(own))
    }
}

impl Drop for Turned {
    fn drop(&mut self) {
        let flushed = std::io::stdout().flush();
        if let (Err(error), _) | (_, Err(error)) =
            (flushed, rustix::stdio::dup2_stdout(&self.0).map_err(std::io::Error::from))
        {
            eprintln!("tracepact: standard output: {error}");
        }
    }
}
