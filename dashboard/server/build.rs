//! Prepares what the binary embeds: the built pages with a compressed twin of each file, or, when they were not built,
//! one page that says how to build them.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let crate_dir = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let dist = crate_dir.join("../ui/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=placeholder.html");
    println!("cargo:rerun-if-changed={}", dist.display());
    println!("cargo:rustc-check-cfg=cfg(ui_placeholder)");
    let packed = out.join("ui");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }
    fs::create_dir_all(&packed)?;
    let mut table = String::new();
    if dist.join("index.html").is_file() {
        pack(&dist, "", &packed, &mut table)?;
    } else {
        println!("cargo:rustc-cfg=ui_placeholder");
        add("index.html", &fs::read(crate_dir.join("placeholder.html"))?, &packed, &mut table)?;
    }
    fs::write(out.join("files.rs"), format!("&[\n{table}]\n"))
}

/// Adds every file under `dir`; `prefix` is its path in the pages.
fn pack(dir: &Path, prefix: &str, packed: &Path, table: &mut String) -> io::Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            pack(&entry.path(), &format!("{path}/"), packed, table)?;
        } else if !name.starts_with('.') {
            add(&path, &fs::read(entry.path())?, packed, table)?;
        }
    }
    Ok(())
}

/// Writes one file, and its compressed twin when that is smaller, and a line of the table that names both.
fn add(path: &str, plain: &[u8], packed: &Path, table: &mut String) -> io::Result<()> {
    let target = packed.join(path.replace('/', "+"));
    fs::write(&target, plain)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    let gzip = encoder.finish()?;
    let twin = packed.join(format!("{}.gzip", path.replace('/', "+")));
    let gzip = if gzip.len() < plain.len() {
        fs::write(&twin, gzip)?;
        format!("Some(include_bytes!({twin:?}))")
    } else {
        "None".to_owned()
    };
    let tag = hex::encode(&Sha256::digest(plain)[..12]);
    writeln!(
        table,
        "    File {{ path: {path:?}, tag: {tag:?}, plain: include_bytes!({target:?}), gzip: {gzip} }},"
    )
    .map_err(io::Error::other)
}
