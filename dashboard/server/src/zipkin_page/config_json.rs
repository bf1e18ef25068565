//! `/zipkin/config.json`: what Zipkin's page is told, in the spacing Zipkin writes.

/// What the page is told. Defaults are Zipkin's.
#[derive(Debug, Clone, PartialEq)]
pub struct PageConfig {
    /// A word in the page's corner.
    pub environment: String,
    /// Traces it asks for unless told otherwise.
    pub query_limit: u64,
    /// How far back it looks unless told otherwise, in milliseconds.
    pub default_lookback_ms: u64,
    /// Whether traces can be searched.
    pub search_enabled: bool,
    /// Address of a page with logs, `{traceId}` in it.
    pub logs_url: Option<String>,
    /// Address of a page with help.
    pub support_url: Option<String>,
    /// Where its archive button posts a trace to.
    pub archive_post_url: Option<String>,
    /// Address of an archived trace, `{traceId}` in it.
    pub archive_url: Option<String>,
    /// Whether it shows the dependency graph.
    pub dependency_enabled: bool,
    /// Share of failed calls, 0 to 1, from which a link is yellow.
    pub low_error_rate: f64,
    /// Share of failed calls, 0 to 1, from which a link is red.
    pub high_error_rate: f64,
}

impl Default for PageConfig {
    fn default() -> Self {
        Self {
            environment: String::new(),
            query_limit: 10,
            default_lookback_ms: 900_000,
            search_enabled: true,
            logs_url: None,
            support_url: None,
            archive_post_url: None,
            archive_url: None,
            dependency_enabled: true,
            low_error_rate: 0.5,
            high_error_rate: 0.75,
        }
    }
}

impl PageConfig {
    pub(super) fn json(&self) -> String {
        let optional = |value: &Option<String>| value.as_deref().map_or_else(|| "null".to_owned(), quoted);
        format!(
            "{{\n  \"environment\" : {},\n  \"queryLimit\" : {},\n  \"defaultLookback\" : {},\n  \"searchEnabled\" : {},\n  \
             \"logsUrl\" : {},\n  \"supportUrl\" : {},\n  \"archivePostUrl\" : {},\n  \"archiveUrl\" : {},\n  \
             \"dependency\" : {{\n    \"enabled\" : {},\n    \"lowErrorRate\" : {},\n    \"highErrorRate\" : {}\n  }}\n}}",
            quoted(&self.environment),
            self.query_limit,
            self.default_lookback_ms,
            self.search_enabled,
            optional(&self.logs_url),
            optional(&self.support_url),
            optional(&self.archive_post_url),
            optional(&self.archive_url),
            self.dependency_enabled,
            fraction(self.low_error_rate),
            fraction(self.high_error_rate),
        )
    }
}

/// Java writes a whole number with a fraction: `1.0`.
fn fraction(value: f64) -> String {
    format!("{value:?}")
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_zipkins_byte_for_byte() {
        assert_eq!(
            PageConfig::default().json(),
            "{\n  \"environment\" : \"\",\n  \"queryLimit\" : 10,\n  \"defaultLookback\" : 900000,\n  \"searchEnabled\" : true,\n  \"logsUrl\" : null,\n  \"supportUrl\" : null,\n  \"archivePostUrl\" : null,\n  \"archiveUrl\" : null,\n  \"dependency\" : {\n    \"enabled\" : true,\n    \"lowErrorRate\" : 0.5,\n    \"highErrorRate\" : 0.75\n  }\n}"
        );
    }

    #[test]
    fn what_is_set_is_valid_json() {
        let config = PageConfig {
            environment: "pro\"d\\\n\u{1}é".to_owned(),
            logs_url: Some("https://logs.example/?q={traceId}".to_owned()),
            high_error_rate: 1.0,
            ..PageConfig::default()
        };
        let json: serde_json::Value = serde_json::from_str(&config.json()).unwrap();
        assert_eq!(json["environment"], config.environment.as_str());
        assert_eq!(json["logsUrl"], "https://logs.example/?q={traceId}");
        assert!(config.json().contains("\"highErrorRate\" : 1.0"));
    }
}
