//! The matrix as a table of text, for people at a terminal (`Accept: text/plain`).

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use http::header;
use tracepact_gate::{Outcome, Row, Verdict};

/// The rows and the reasons below them.
pub(super) fn respond<'a>(verdict: &Verdict, rows: impl Iterator<Item = &'a Row>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain;charset=utf-8")], table(verdict, rows)).into_response()
}

fn table<'a>(verdict: &Verdict, rows: impl Iterator<Item = &'a Row>) -> String {
    let heads = ["CONSUMER", "C.VERSION", "PROVIDER", "P.VERSION", "SUCCESS?", "RESULT#"].map(str::to_owned);
    let mut lines = vec![heads];
    lines.extend(rows.map(|row| {
        let outcome = match row.outcome {
            Outcome::Success => "true",
            Outcome::Failed => "false",
            Outcome::Unknown => "???",
        };
        [
            row.consumer.clone(),
            row.consumer_version.clone().unwrap_or_else(|| "(accepted contract)".into()),
            row.provider.clone(),
            row.provider_version.clone().unwrap_or_else(|| "???".into()),
            if row.ignored { format!("{outcome} [ignored]") } else { outcome.to_owned() },
            row.result.map(|n| n.to_string()).unwrap_or_default(),
        ]
    }));
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "{}", cells.join(" | ").trim_end());
        if index == 0 {
            let _ = writeln!(out, "{}", widths.map(|width| "-".repeat(width)).join("-|-"));
        }
    }
    let _ = write!(out, "\n{}\n", verdict.reason());
    out
}
