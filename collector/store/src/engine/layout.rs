//! The directories of a store: `log/<tenant>`, `data/<tenant>/{spans,series,events}/<day>/<block>`.

use std::io;
use std::path::Path;

use crate::block::Table;
use crate::fs::{Fs, join};

/// Creates what is missing and makes every entry durable that is there: a process that died may have left entries that
/// are visible and not yet safe, and from now on they are taken for safe.
pub(super) fn prepare(fs: &dyn Fs, dir: &Path, tenant: &str) -> io::Result<()> {
    let (log, data) = (dir.join("log"), dir.join("data"));
    fs.create_dir(&log)?;
    fs.create_dir(&data)?;
    fs.sync_dir(dir)?;
    fs.create_dir(&log.join(tenant))?;
    fs.sync_dir(&log)?;
    fs.create_dir(&data.join(tenant))?;
    fs.sync_dir(&data)?;
    let tenant_data = data.join(tenant);
    for table in Table::ALL {
        fs.create_dir(&tenant_data.join(table.dir()))?;
    }
    fs.sync_dir(&tenant_data)?;
    for table in Table::ALL {
        sync_tree(fs, &tenant_data.join(table.dir()))?;
    }
    Ok(())
}

/// Syncs the days of a table, their blocks, and the entries of each block.
fn sync_tree(fs: &dyn Fs, table: &Path) -> io::Result<()> {
    let days = fs.list(table)?;
    if days.is_empty() {
        return Ok(());
    }
    fs.sync_dir(table)?;
    for day in days {
        let day = table.join(day);
        fs.sync_dir(&day)?;
        for block in fs.list(&day)? {
            fs.sync_dir(&join(&day, &[&block]))?;
        }
    }
    Ok(())
}
