//! `docs/format.md` says what the schema constant says.

use std::fmt::Write;

use tracepact_store::block::schema::{COLUMNS, FORMAT_VERSION};

fn document() -> String {
    let mut out = format!(
        "# What is on disk\n\n\
         Generated from `collector/store/src/block/schema.rs`; a test fails when this page differs. \
         `UPDATE_DOCS=1 cargo test -p tracepact-store format` writes it anew.\n\n\
         Format version {FORMAT_VERSION}. A block of another version is refused by name.\n\n\
         ```text\n\
         LOCK                                  held by the process that has the store open\n\
         log/<tenant>/<first LSN>.log          acknowledged requests that are not in blocks yet\n\
         data/<tenant>/spans/<day>/<ulid>/     a block of spans: one UTC day of span start, one range of log records\n\
         \x20 spans.parquet                       the rows (zstd); readable by any Parquet reader\n\
         \x20 index.bin                           trace id to rows; service, name, tag to traces; names\n\
         \x20 sums.bin                            CRC32C of every 4 KiB of both\n\
         \x20 links.bin                           calls between services of each trace; may be absent: it follows from the rows\n\
         \x20 meta.json                           written last: its own checksum, versions, ranges, counts, checksums, `replaces`\n\
         data/<tenant>/series/<day>/<ulid>/    a block of points: points.bin, meta.json\n\
         data/<tenant>/events/<day>/<ulid>/    a block of events: events.json.zst (zstd of a JSON list), meta.json\n\
         data/<tenant>/red/<day>/<ulid>/       counts, errors and durations by minute of receipt: red.bin, meta.json\n\
         data/<tenant>/tombstones/<day>/<ulid>/ deleted traces whose rows are still in blocks: tombstones.bin, meta.json\n\
         snapshots/<name>/                     a copy of all of that at one moment, and snapshot.json\n\
         ```\n\n\
         A log record is `length u32 · crc32c u32 · LSN u64 · durable LSN u64 · received_at_ns u64 · table u8 · codec u8 · \
         count u32 and positions u32 of rejected spans · body length u32 · zstd(body)`, little-endian; the checksum covers \
         everything behind it. The body is the request as it was received, redacted; or points, events, deleted traces, counts of spans that sampling took.\n\n\
         `meta.json` begins with `crc32c`: that of its own bytes with eight zeros in this place. `tombstones.bin` is \
         `count u32`, then for each trace `low half u64 · high half u64 · 1 when the high half counts, else 0, u8 · LSN below \
         which its rows are deleted u64 · deleted at u64`. `links.bin` is `number of the rules u32 · length u32 · zstd of: names \
         (count, then length u32 and text of each), pairs (count, then caller and callee as places of names), and for each trace in \
         the order of the index its number of calls and each call: twice the place of its pair, and one when it failed`; counts, \
         places and calls are LEB128 varints. `red.bin` is `length u32 · zstd of rows by minute`, described in `collector/store/src/red.rs`.\n\n\
         ## Columns of spans.parquet\n\n\
         | column | type | null | meaning |\n|---|---|---|---|\n"
    );
    for column in COLUMNS {
        let null = if column.nullable { "yes" } else { "no" };
        let _ = writeln!(out, "| `{}` | {} | {null} | {} |", column.name, column.kind.words(), column.doc);
    }
    out.push_str(
        "\nBehind these stands a column `attributes.KEY` for each of the attributes that most rows of the block have, as text \
         (numbers in decimal, bytes in base64, lists and maps as JSON with a type at each value); `attributes:TYPE.KEY` when \
         the value is not text. Null: the row does not have it.\n\n\
         With DuckDB: `select service, name, duration_ns / 1e6 as ms, \"attributes.http.route\" from \
         read_parquet('data/default/spans/*/*/spans.parquet', union_by_name = true) order by duration_ns desc limit 10;`\n",
    );
    out
}

#[test]
fn format_page_follows_the_schema() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/format.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document()).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(page == document(), "docs/format.md differs from the schema: run with UPDATE_DOCS=1");
}
