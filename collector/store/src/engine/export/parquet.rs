//! Rows into one Parquet file.

use std::fs::File;
use std::io;
use std::path::Path;

use parquet::file::writer::SerializedFileWriter;

use super::ExportRow;
use crate::block::columns::{self, AttributeKey};
use crate::block::parquet_file;
use crate::block::sorted::Gathered;
use crate::hot::Placed;

/// Rows of one row group: they are in memory until it is written.
const GROUP_ROWS: usize = 65_536;

/// Rows into one Parquet file with the columns of a block. The attributes that have columns of their own are the frequent
/// ones of the first rows; parents are said by their ids alone.
#[derive(Debug)]
pub struct ParquetFile {
    state: State,
    waiting: Vec<Placed>,
}

enum State {
    Created(File),
    Begun(Box<SerializedFileWriter<File>>, Vec<AttributeKey>),
    /// A write failed.
    Broken,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Created(_) => "created",
            Self::Begun(..) => "begun",
            Self::Broken => "broken",
        })
    }
}

impl ParquetFile {
    /// Creates the file; one that is there already is not touched.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Self { state: State::Created(file), waiting: Vec::new() })
    }

    /// Appends rows.
    pub fn write(&mut self, rows: &[ExportRow]) -> io::Result<()> {
        self.waiting.extend(rows.iter().map(|row| row.placed.clone()));
        if self.waiting.len() >= GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes the footer and makes the file durable.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        match self.state {
            State::Begun(writer, _) => writer.into_inner().map_err(io::Error::other)?.sync_all(),
            State::Created(_) | State::Broken => Err(io::Error::other("an earlier write failed")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let rows = Gathered::of(std::mem::take(&mut self.waiting));
        let sorted = rows.sorted();
        let (mut writer, keys) = match std::mem::replace(&mut self.state, State::Broken) {
            State::Created(file) => {
                let keys = columns::frequent_keys(&sorted);
                let writer = parquet_file::begin(file, &columns::specs(&keys)).map_err(io::Error::other)?;
                (Box::new(writer), keys)
            }
            State::Begun(writer, keys) => (writer, keys),
            State::Broken => return Err(io::Error::other("an earlier write failed")),
        };
        if sorted.len() > 0 {
            columns::append(&mut writer, &keys, &sorted).map_err(io::Error::other)?;
        }
        self.state = State::Begun(writer, keys);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    use tracepact_base::{SpanId, TraceId};
    use tracepact_model::{Span, Value};

    use super::*;

    fn row(trace: u128, id: u64, parent: Option<u64>, key: &str) -> ExportRow {
        let mut row = Span::new(TraceId::new(trace).unwrap(), SpanId::new(id).unwrap());
        row.parent_id = parent.and_then(SpanId::new);
        row.attributes = vec![(key.into(), Value::String(format!("{id}").into()))];
        ExportRow { placed: Placed { lsn: 1, position: 0, row } }
    }

    /// Guarantees: rows of all row groups are read back, whichever attributes they have.
    #[test]
    fn later_rows_with_other_attributes_fit_the_columns_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spans.parquet");
        let mut file = ParquetFile::create(&path).unwrap();
        let many: Vec<_> = (0..GROUP_ROWS as u64).map(|n| row(7, n + 1, None, "first")).collect();
        file.write(&many).unwrap();
        file.write(&[row(7, 100_001, Some(1), "second"), row(7, 100_002, Some(1), "first")]).unwrap();
        file.finish().unwrap();
        let reader = SerializedFileReader::try_from(path.as_path()).unwrap();
        let meta = reader.metadata();
        assert_eq!((meta.num_row_groups(), meta.file_metadata().num_rows()), (2, GROUP_ROWS as i64 + 2));
        let columns: Vec<String> =
            meta.file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
        let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
        let last: Vec<_> = reader.get_row_iter(None).unwrap().skip(GROUP_ROWS).map(Result::unwrap).collect();
        assert_eq!(last[0].get_string(at("attribute_rest")).unwrap(), "[\"100001\"]");
        assert_eq!(last[1].get_string(at("attributes.first")).unwrap(), "100002");
        assert!(last.iter().all(|row| row.get_ulong(at("parent_id")).unwrap() == 1));
    }

    #[test]
    fn a_file_without_rows_is_one_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spans.parquet");
        ParquetFile::create(&path).unwrap().finish().unwrap();
        let reader = SerializedFileReader::try_from(path.as_path()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
