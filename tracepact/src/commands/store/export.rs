//! `tracepact store export`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::json;
use tracepact_base::time_format::from_rfc3339;
use tracepact_base::{ErrorKind, SystemClock};
use tracepact_model::{Span, otlp};
use tracepact_store::{Completeness, Engine, EngineConfig, ExportRow, ParquetFile, StoreError};

use crate::commands::operator::{Failed, finish, show};

/// Write the stored spans of a closed data directory to one file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tracepact store export --data-dir tracepact-data --format parquet --out spans.parquet
  tracepact store export --data-dir copy-of-a-snapshot --format otlp-json --out spans.jsonl \\
      --start 2026-11-21T00:00:00Z --end 2026-11-22T00:00:00Z

Parquet has the columns of docs/format.md. OTLP JSON is one ExportTraceServiceRequest a line, as OpenTelemetry's file
exporter writes and its collector reads it. The directory must be writable, for its log is replayed: export from a copy of
a snapshot to leave a running server alone.

Exit codes: 0 done, 1 done without what is damaged, or not done, 2 wrong usage, 3 the directory cannot be used.")]
pub(crate) struct Export {
    /// The data directory, or a copy of a snapshot.
    #[arg(long, env = "TRACEPACT_DATA_DIR", default_value = "tracepact-data", value_name = "DIR")]
    data_dir: PathBuf,
    /// What to write.
    #[arg(long, value_enum)]
    format: Format,
    /// The file, which must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Only spans that started at or after (RFC 3339).
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Only spans that started at or before (RFC 3339).
    #[arg(long, value_name = "TIME")]
    end: Option<String>,
    /// Print what was written as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One Parquet file.
    Parquet,
    /// Lines of OTLP's JSON.
    OtlpJson,
}

impl Export {
    pub(super) fn run(self) -> ExitCode {
        finish(self.export())
    }

    fn export(&self) -> Result<u8, Failed> {
        let time = |name: &str, text: &Option<String>, default: u64| match text {
            None => Ok(default),
            Some(text) => from_rfc3339(text).ok_or_else(|| {
                Failed::Usage(format!("--{name} is a time such as 2026-11-21T03:04:05Z, not {text:?}"))
            }),
        };
        let (start_ns, end_ns) = (time("start", &self.start, 0)?, time("end", &self.end, u64::MAX)?);
        if !self.data_dir.join("data").is_dir() {
            let dir = self.data_dir.display();
            return Err(Failed::Unreachable(format!(
                "{dir} holds no store; the server's --data-dir is meant"
            )));
        }
        let mut sink = Sink::create(self.format, &self.out)
            .map_err(|error| Failed::Usage(format!("--out {}: {error}", self.out.display())))?;
        // Retention is the server's business, not of a look at what is there.
        let settings =
            EngineConfig { maintenance_interval: std::time::Duration::MAX, ..EngineConfig::default() };
        let engine = Engine::open(&self.data_dir, settings, SystemClock::shared())?;
        let failed = |error: std::io::Error| {
            StoreError::new(ErrorKind::Internal, format!("{} cannot be written: {error}", self.out.display()))
        };
        let exported = engine.export(start_ns, end_ns, |rows| sink.write(&rows).map_err(failed));
        engine.close();
        let exported = exported?;
        sink.finish().map_err(failed)?;
        let damage = match &exported.completeness {
            Completeness::Damaged { blocks } => blocks.clone(),
            _ => Vec::new(),
        };
        let mut text = format!("{} rows in {}\n", exported.rows, self.out.display());
        for block in &damage {
            text.push_str(&format!("damaged and left out: {block}\n"));
        }
        show(self.json, &json!({ "rows": exported.rows, "file": self.out, "damage": damage }), &text)?;
        Ok(u8::from(!damage.is_empty()))
    }
}

enum Sink {
    Parquet(Box<ParquetFile>),
    Lines(BufWriter<File>),
}

impl Sink {
    fn create(format: Format, out: &std::path::Path) -> std::io::Result<Self> {
        Ok(match format {
            Format::Parquet => Self::Parquet(Box::new(ParquetFile::create(out)?)),
            Format::OtlpJson => {
                Self::Lines(BufWriter::new(OpenOptions::new().write(true).create_new(true).open(out)?))
            }
        })
    }

    fn write(&mut self, rows: &[ExportRow]) -> std::io::Result<()> {
        match self {
            Self::Parquet(file) => file.write(rows),
            Self::Lines(file) => {
                let spans: Vec<Span> = rows.iter().map(|row| row.span().clone()).collect();
                file.write_all(&otlp::encode_json(&spans))?;
                file.write_all(b"\n")
            }
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Parquet(file) => file.finish(),
            Self::Lines(file) => file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all(),
        }
    }
}
