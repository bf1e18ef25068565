//! What was measured of one server, and the table of several beside each other.

use crate::latency::Latency;

/// Figures by name, in the order in which they were measured; each is printed when it is known.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    name: String,
    list: Vec<(String, String)>,
}

impl Figures {
    /// Figures of the server with this name.
    pub(crate) fn of(name: &str) -> Self {
        println!("\n## {name}");
        Self { name: name.to_owned(), list: Vec::new() }
    }

    /// Adds one figure.
    pub(crate) fn add(&mut self, what: &str, figure: impl Into<String>) {
        let figure = figure.into();
        println!("{what}: {figure}");
        self.list.push((what.to_owned(), figure));
    }

    /// Adds median and 99th percentile.
    pub(crate) fn latency(&mut self, what: &str, latency: &Latency) {
        let figure = format!("{:.1} / {:.1}", latency.quantile_ms(0.5), latency.quantile_ms(0.99));
        self.add(&format!("{what}, p50 / p99, ms"), figure);
    }
}

/// Prints all servers beside each other.
pub(crate) fn table(all: &[Figures]) {
    let Some(first) = all.first() else { return };
    println!("\n| | {} |", all.iter().map(|figures| figures.name.as_str()).collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---|".repeat(all.len()));
    for (what, _) in &first.list {
        let of = |figures: &Figures| {
            let found = figures.list.iter().find(|(known, _)| known == what);
            found.map_or_else(|| "–".to_owned(), |(_, figure)| figure.clone())
        };
        println!("| {what} | {} |", all.iter().map(of).collect::<Vec<_>>().join(" | "));
    }
}
