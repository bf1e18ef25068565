//! Pages of lists: `page` and `size`, their old names `pageNumber` and `pageSize`, and the links to the neighbours.

use serde_json::{Value, json};
use tracepact_contract_model::{QueryValue, parse_nested};

use super::links::encode;
use crate::BrokerError;

/// Most entries of one page, and how many there are when no size is named.
const SIZE_MAX: i64 = 1_000;

/// Which part of a list is wanted.
#[derive(Debug)]
pub(super) struct Paging {
    /// From 1.
    pub(super) page: i64,
    pub(super) size: i64,
    /// Part of a name; empty for all.
    pub(super) filter: String,
}

impl Paging {
    /// From the raw query.
    pub(super) fn of(query: &str) -> Result<Self, BrokerError> {
        let query = parse_nested(query)?;
        Ok(Self {
            page: number(&query, ["page", "pageNumber"], 1)?,
            size: number(&query, ["size", "pageSize"], SIZE_MAX)?.min(SIZE_MAX),
            filter: query.text("q").unwrap_or_default().to_owned(),
        })
    }

    /// Entries before this page.
    pub(super) fn offset(&self) -> i64 {
        (self.page - 1) * self.size
    }

    /// Adds `page` and the links `next` and `previous` to a list at `address` that has `total` entries in all. The
    /// search stays in the links, so that turning pages does not leave it.
    pub(super) fn describe(&self, body: &mut Value, address: &str, total: i64) {
        let pages = (total + self.size - 1) / self.size;
        let q = if self.filter.is_empty() { String::new() } else { format!("&q={}", encode(&self.filter)) };
        let at = |page: i64, title: &str| json!({ "href": format!("{address}?page={page}&size={}{q}", self.size), "title": title });
        body["page"] = json!({
            "number": self.page, "size": self.size, "totalElements": total, "totalPages": pages,
        });
        if self.page < pages {
            body["_links"]["next"] = at(self.page + 1, "Next page");
        }
        if self.page > 1 {
            body["_links"]["previous"] = at(self.page - 1, "Previous page");
        }
    }

    /// This page of a list that is whole in memory, of which `name` tells what the search looks at.
    pub(super) fn cut<T>(&self, list: Vec<T>, name: impl Fn(&T) -> String) -> (Vec<T>, i64) {
        let wanted = self.filter.to_lowercase();
        let found: Vec<T> = list
            .into_iter()
            .filter(|item| wanted.is_empty() || name(item).to_lowercase().contains(&wanted))
            .collect();
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let skip = usize::try_from(self.offset()).unwrap_or(usize::MAX);
        let take = usize::try_from(self.size).unwrap_or(usize::MAX);
        (found.into_iter().skip(skip).take(take).collect(), total)
    }
}

fn number(query: &QueryValue, names: [&str; 2], default: i64) -> Result<i64, BrokerError> {
    match names.iter().find_map(|name| Some((*name, query.text(name)?))) {
        None => Ok(default),
        Some((name, text)) => match text.parse() {
            Ok(value) if (1..=1_000_000).contains(&value) => Ok(value),
            _ => Err(BrokerError::invalid(name, "must be a number from 1 to 1000000")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_names_are_read_and_the_search_stays() {
        let paging = Paging::of("pageNumber=2&pageSize=1&q=a%20b").unwrap();
        let mut body = json!({ "_links": {} });
        paging.describe(&mut body, "http://x/pacticipants", 3);
        assert_eq!(body["page"], json!({ "number": 2, "size": 1, "totalElements": 3, "totalPages": 3 }));
        assert_eq!(body["_links"]["next"]["href"], "http://x/pacticipants?page=3&size=1&q=a%20b");
        assert_eq!(body["_links"]["previous"]["href"], "http://x/pacticipants?page=1&size=1&q=a%20b");
        assert!(Paging::of("page=0").is_err() && Paging::of("size=x").is_err());
    }

    #[test]
    fn a_list_in_memory_is_searched_and_cut() {
        let names = || ["Ab", "b", "ABC"].map(str::to_owned).to_vec();
        let paging = Paging { page: 2, size: 1, filter: "ab".into() };
        assert_eq!(paging.cut(names(), Clone::clone), (vec!["ABC".to_owned()], 2));
    }
}
