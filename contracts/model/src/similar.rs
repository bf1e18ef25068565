//! Names that nearly are one: `order-service`, `Order Service` and `Orders` are most likely the same application.

/// Words that say nothing about which application is meant.
const FILLERS: [&str; 3] = ["api", "provider", "service"];

/// Whether two different names are nearly the same: split at changes of case, spaces, dashes and underscores, without the
/// words `api`, `provider` and `service`, without plurals. The rule of the Pact Broker's guard against typos.
///
/// ```
/// use tracepact_contract_model::are_similar_names;
/// assert!(are_similar_names("order-service", "OrderService"));
/// assert!(!are_similar_names("orders", "payments"));
/// ```
pub fn are_similar_names(first: &str, second: &str) -> bool {
    first != second && essence(first) == essence(second)
}

fn essence(name: &str) -> Vec<String> {
    let words = words(name);
    let kept: Vec<String> = words.iter().filter(|word| !FILLERS.contains(&word.as_str())).cloned().collect();
    // A name of fillers only is what it is.
    if kept.is_empty() { words } else { kept }
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for c in name.chars() {
        let separates = c.is_whitespace() || c == '-' || c == '_';
        if separates || (c.is_uppercase() && previous.is_lowercase()) {
            words.push(String::new());
        }
        if !separates && let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        previous = c;
    }
    words.iter().filter(|word| !word.is_empty()).map(|word| singular(word)).collect()
}

fn singular(word: &str) -> String {
    match word.strip_suffix('s') {
        Some(rest) if rest.chars().count() > 2 && !rest.ends_with('s') => rest.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_similar() {
        for other in ["Order Service", "orders", "order_api", "OrderProvider", "ORDER service"] {
            assert!(are_similar_names("order-service", other), "{other}");
        }
        for other in ["order-service", "payment-service", "service", "reorder", "order-history"] {
            assert!(!are_similar_names("order-service", other), "{other}");
        }
        assert!(!are_similar_names("api", "service") && !are_similar_names("address", "addres-x"));
    }
}
