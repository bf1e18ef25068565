//! Running one of the provider's commands: JSON in on standard input, text out, bounded in time and size.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Most output that is read.
const OUTPUT_BYTES_MAX: u64 = 10 * 1024 * 1024;
/// How much of a failure's output is shown.
const SHOWN_CHARS: usize = 2_000;

/// Runs `command` in `folder` with `input` on standard input; what it printed.
///
/// # Errors
/// With what went wrong: not found, too slow, too long an output, an exit code with what it said.
pub(crate) async fn run(
    command: &[String],
    folder: &Path,
    timeout_ms: u64,
    input: &Value,
) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("the command is empty".into()) };
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("{program}: {e}"))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let text = input.to_string();
    let work = async {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A command that does not read its input is in its right.
                let _ = stdin.write_all(text.as_bytes()).await;
            }
        };
        let ((), out, err) = tokio::join!(feed, read(stdout), read(stderr));
        (child.wait().await, out, err)
    };
    let (status, out, err) = tokio::time::timeout(Duration::from_millis(timeout_ms), work)
        .await
        .map_err(|_| format!("{program} did not end within {timeout_ms} ms"))?;
    // Whose output is cut off ends by that; the cause is what counts.
    let out = out.map_err(|reason| format!("{program}: {reason}"))?;
    let status = status.map_err(|e| format!("{program}: {e}"))?;
    if !status.success() {
        let said = err.unwrap_or_default();
        let tail: String = said.chars().skip(said.chars().count().saturating_sub(SHOWN_CHARS)).collect();
        return Err(format!("{program} ended with {status}: {}", tail.trim()));
    }
    Ok(out)
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> Result<String, String> {
    let Some(from) = from else { return Ok(String::new()) };
    let mut bytes = Vec::new();
    from.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes).await.map_err(|e| e.to_string())?;
    if bytes.len() as u64 > OUTPUT_BYTES_MAX {
        return Err(format!("it printed more than {OUTPUT_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it printed no UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(command: &[&str]) -> Vec<String> {
        command.iter().map(|w| (*w).to_owned()).collect()
    }

    #[tokio::test]
    async fn input_goes_in_as_json_and_nothing_is_read_by_a_shell() {
        let here = Path::new(".");
        let input = json!({"state": "$(touch /tmp/x); `id`"});
        assert_eq!(run(&words(&["cat"]), here, 30_000, &input).await.unwrap(), input.to_string());
        let out = run(&words(&["echo", "$HOME;", "a b"]), here, 30_000, &input).await.unwrap();
        assert_eq!(out, "$HOME; a b\n");
    }

    #[tokio::test]
    async fn every_failure_says_what_it_was() {
        let here = Path::new(".");
        let fails = async |command: &[&str], timeout| {
            run(&words(command), here, timeout, &json!({})).await.unwrap_err()
        };
        assert!(fails(&["no-such-program-here"], 30_000).await.contains("no-such-program-here"));
        assert!(fails(&["false"], 30_000).await.contains("ended with"));
        assert!(fails(&["sleep", "60"], 50).await.contains("did not end within 50 ms"));
        assert!(fails(&["cat", "/no/such/file"], 30_000).await.contains("No such file"));
        assert!(fails(&["yes"], 30_000).await.contains("more than"));
    }
}
