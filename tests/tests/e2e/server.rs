//! The built server on free ports in a folder of its own.

use std::path::{Path, PathBuf};

use tokio::process::Command;
use tracepact_tests::binaries::Binaries;
use tracepact_tests::processes::without_settings;
use tracepact_tests::{Api, Processes};

/// The arguments of `tracepact serve` with every address free and its data in `data`.
pub(crate) fn arguments(data: &Path) -> Vec<String> {
    let mut args: Vec<String> = ["serve", "--data-dir"].map(str::to_owned).to_vec();
    args.push(data.display().to_string());
    for flag in ["--http-addr", "--otlp-grpc-addr", "--otlp-http-addr", "--broker-addr"] {
        args.extend([flag.to_owned(), "127.0.0.1:0".to_owned()]);
    }
    args
}

/// A running server.
pub(crate) struct Server {
    processes: Processes,
    binaries: Binaries,
    folder: tempfile::TempDir,
}

/// How a command ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output and standard error.
    pub(crate) text: String,
    /// Standard output alone.
    pub(crate) printed: String,
}

impl Ran {
    /// Checks the exit code, showing what was written when it is another one.
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    /// Checks that it wrote this.
    #[track_caller]
    pub(crate) fn said(self, part: &str) -> Self {
        assert!(self.text.contains(part), "{part:?} is not in:\n{}", self.text);
        self
    }
}

/// Runs a command to its end.
pub(crate) async fn run(command: &mut Command) -> Ran {
    let output = command.stdin(std::process::Stdio::null()).kill_on_drop(true).output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let text = format!("{printed}{}", String::from_utf8_lossy(&output.stderr));
    Ran { code: output.status.code().unwrap_or(-1), text, printed }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With further arguments.
    pub(crate) async fn start_with(more: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), more, &[]).await
    }

    /// In a folder that is there already, with further arguments and with variables. Where a variable says the broker's
    /// port, no argument does.
    pub(crate) async fn start_in(
        folder: tempfile::TempDir,
        more: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let binaries = Binaries::find().unwrap();
        let mut processes = Processes::new(folder.path()).unwrap();
        let mut args = arguments(&folder.path().join("data"));
        if variables.iter().any(|(name, _)| *name == "PACT_BROKER_PORT") {
            let at = args.iter().position(|arg| arg == "--broker-addr").unwrap();
            args.drain(at..at + 2);
        }
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        processes.start_with("tracepact", &binaries.tracepact, &args, variables).await.unwrap();
        Self { processes, binaries, folder }
    }

    /// `127.0.0.1:port` of one of its listeners.
    pub(crate) fn address(&self, name: &str) -> String {
        self.processes.get("tracepact").unwrap().address(name).unwrap()
    }

    /// Its main port.
    pub(crate) fn api(&self) -> Api {
        Api::new(&self.address("http")).unwrap()
    }

    /// The address that Pact clients are given.
    pub(crate) fn broker_url(&self) -> String {
        format!("http://{}", self.address("broker"))
    }

    /// A folder that ends with the server.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Runs `tracepact ARGS` against the broker.
    pub(crate) async fn tracepact(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(&self.binaries.tracepact);
        without_settings(&mut command);
        run(command.args(args).env("TRACEPACT_BROKER_URL", self.broker_url())).await
    }

    pub(crate) async fn stop(mut self) {
        self.processes.stop_all(&[]).await;
    }

    /// Stops it; what it wrote to its log.
    pub(crate) async fn stop_for_log(mut self) -> String {
        self.processes.stop("tracepact").await.unwrap()
    }
}

/// A file of `tests/fixtures`.
pub(crate) fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name).display().to_string()
}
