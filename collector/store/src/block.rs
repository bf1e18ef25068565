//! Sealed rows: Parquet with an index beside it. A block never changes; a newer one may replace it.

mod attributes;
pub(crate) mod columns;
mod conditions;
pub(crate) mod encode;
pub(crate) mod file;
pub(crate) mod hybrid;
pub(crate) mod index;
pub(crate) mod links;
pub(crate) mod meta;
pub(crate) mod pages;
pub(crate) mod parquet_file;
pub(crate) mod part;
pub(crate) mod read;
pub(crate) mod rows;
mod scan;
pub mod schema;
mod skeleton;
pub(crate) mod sorted;
pub(crate) mod terms;
pub(crate) mod write;

pub(crate) use meta::{BlockMeta, Table};
pub(crate) use part::BlockPart;
pub(crate) use read::Block;
