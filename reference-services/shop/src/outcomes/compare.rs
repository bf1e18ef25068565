//! Comparing a stored trace with the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::{Expected, Form, forms};
use super::{Outcome, SpanNode};

/// How a trace differs from the nearest tree its outcome may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Not exactly one span without a parent.
    #[error("the trace has {roots} roots; one is prescribed")]
    Roots {
        /// Number of roots.
        roots: usize,
    },
    /// A span's parent index is outside the trace, or its ancestors form a ring.
    #[error("span {index} hangs on no root")]
    Detached {
        /// Index of the span.
        index: usize,
    },
    /// The tree is right, the caller's answer is not.
    #[error("the root answered {status}; {allowed:?} are prescribed")]
    Status {
        /// Status of the root.
        status: u16,
        /// What is allowed.
        allowed: Vec<u16>,
    },
    /// Spans are missing or there are others.
    #[error("nearest form: {form}; missing {missing:?}, not prescribed {unexpected:?}")]
    Tree {
        /// Label of the nearest form.
        form: &'static str,
        /// Paths of prescribed spans that are not there.
        missing: Vec<String>,
        /// Paths of spans that are not prescribed.
        unexpected: Vec<String>,
    },
}

/// Whether `spans` are exactly a tree that `outcome` prescribes.
///
/// # Errors
/// The difference to the nearest form.
pub fn check(spans: &[SpanNode], outcome: Outcome) -> Result<(), Mismatch> {
    let spans = &without_retried(spans)[..];
    let roots: Vec<usize> = (0..spans.len()).filter(|i| spans[*i].parent.is_none()).collect();
    let [root] = roots[..] else { return Err(Mismatch::Roots { roots: roots.len() }) };
    let children = children(spans)?;
    let mut reached = 0;
    let seen = text_of(spans, &children, root, &mut reached);
    if reached != spans.len() {
        let index = detached(spans).unwrap_or_default();
        return Err(Mismatch::Detached { index });
    }

    let mut nearest: Option<(usize, Mismatch)> = None;
    for form in forms(outcome) {
        if text_of_expected(&form.root) == seen {
            return match spans[root].http_status {
                Some(status) if !form.root_status.contains(&status) => {
                    Err(Mismatch::Status { status, allowed: form.root_status.to_vec() })
                }
                _ => Ok(()),
            };
        }
        let (distance, mismatch) = difference(spans, &form);
        if nearest.as_ref().is_none_or(|(best, _)| distance < *best) {
            nearest = Some((distance, mismatch));
        }
    }
    Err(nearest.map_or(Mismatch::Roots { roots: 1 }, |(_, mismatch)| mismatch))
}

/// The spans without attempts that reached nobody and were made again: a leaf with a sibling of the same name.
fn without_retried(spans: &[SpanNode]) -> Vec<SpanNode> {
    let mut dropped = vec![false; spans.len()];
    for (index, span) in spans.iter().enumerate().filter(|(_, span)| span.connect_failed) {
        let is_leaf = spans.iter().all(|other| other.parent != Some(index));
        let made_again = spans.iter().enumerate().any(|(at, other)| {
            at != index
                && !dropped[at]
                && (other.parent, other.kind) == (span.parent, span.kind)
                && (&other.service, &other.name) == (&span.service, &span.name)
        });
        dropped[index] = is_leaf && made_again;
    }
    let mut kept = 0;
    let places: Vec<usize> = dropped
        .iter()
        .map(|gone| {
            kept += usize::from(!gone);
            kept.saturating_sub(1)
        })
        .collect();
    let mut left = Vec::with_capacity(kept);
    for (span, _) in spans.iter().zip(&dropped).filter(|(_, gone)| !**gone) {
        let mut span = span.clone();
        // An index outside the trace stays outside.
        span.parent = span.parent.map(|parent| places.get(parent).copied().unwrap_or(usize::MAX));
        left.push(span);
    }
    left
}

fn children(spans: &[SpanNode]) -> Result<Vec<Vec<usize>>, Mismatch> {
    let mut children = vec![Vec::new(); spans.len()];
    for (index, span) in spans.iter().enumerate() {
        if let Some(parent) = span.parent {
            children.get_mut(parent).ok_or(Mismatch::Detached { index })?.push(index);
        }
    }
    Ok(children)
}

fn detached(spans: &[SpanNode]) -> Option<usize> {
    (0..spans.len()).find(|start| path(spans, *start).is_none())
}

fn label(service: &str, name: &str, kind: super::Kind) -> String {
    format!("{service} {kind:?} {name}")
}

/// The tree as text, children sorted: equal trees have equal texts.
fn text_of(spans: &[SpanNode], children: &[Vec<usize>], at: usize, reached: &mut usize) -> String {
    *reached += 1;
    let mut below: Vec<String> =
        children[at].iter().map(|child| text_of(spans, children, *child, reached)).collect();
    below.sort();
    join(&label(&spans[at].service, &spans[at].name, spans[at].kind), &below)
}

fn text_of_expected(expected: &Expected) -> String {
    let mut below: Vec<String> = expected.children.iter().map(text_of_expected).collect();
    below.sort();
    join(&label(expected.service, &expected.name, expected.kind), &below)
}

fn join(own: &str, below: &[String]) -> String {
    let mut text = String::from(own);
    for child in below {
        let _ = write!(text, "({child})");
    }
    text
}

/// A span's way from the root; `None` when it does not lead to one.
fn path(spans: &[SpanNode], at: usize) -> Option<String> {
    let mut steps = Vec::new();
    let mut next = Some(at);
    while let Some(index) = next {
        if steps.len() > spans.len() {
            return None;
        }
        let span = spans.get(index)?;
        steps.push(label(&span.service, &span.name, span.kind));
        next = span.parent;
    }
    steps.reverse();
    Some(steps.join(" > "))
}

fn expected_paths(expected: &Expected, above: &str, into: &mut BTreeMap<String, i64>) {
    let own = label(expected.service, &expected.name, expected.kind);
    let here = if above.is_empty() { own } else { format!("{above} > {own}") };
    *into.entry(here.clone()).or_default() += 1;
    for child in &expected.children {
        expected_paths(child, &here, into);
    }
}

fn difference(spans: &[SpanNode], form: &Form) -> (usize, Mismatch) {
    let mut counts = BTreeMap::new();
    expected_paths(&form.root, "", &mut counts);
    for path in (0..spans.len()).filter_map(|at| path(spans, at)) {
        *counts.entry(path).or_default() -= 1;
    }
    let (mut missing, mut unexpected) = (Vec::new(), Vec::new());
    for (path, count) in counts {
        let list = if count > 0 { &mut missing } else { &mut unexpected };
        for _ in 0..count.unsigned_abs() {
            list.push(path.clone());
        }
    }
    (missing.len() + unexpected.len(), Mismatch::Tree { form: form.label, missing, unexpected })
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn flatten(expected: &Expected, parent: Option<usize>, into: &mut Vec<SpanNode>) {
        let at = into.len();
        into.push(SpanNode::new(expected.service, &expected.name, expected.kind, parent));
        for child in &expected.children {
            flatten(child, Some(at), into);
        }
    }

    fn spans_of(form: &Form) -> Vec<SpanNode> {
        let mut spans = Vec::new();
        flatten(&form.root, None, &mut spans);
        spans[0].http_status = form.root_status.first().copied();
        spans
    }

    #[test]
    fn each_form_is_its_outcome_and_no_other_with_that_answer() {
        for outcome in Outcome::ALL {
            for form in forms(outcome) {
                let mut spans = spans_of(&form);
                assert_eq!(check(&spans, outcome), Ok(()), "{outcome:?} {}", form.label);
                // Arrival order must not matter.
                let last = spans.len() - 1;
                for span in &mut spans {
                    span.parent = span.parent.map(|parent| last - parent);
                }
                spans.reverse();
                assert_eq!(check(&spans, outcome), Ok(()));
                for other in Outcome::ALL.into_iter().filter(|other| *other != outcome) {
                    assert!(check(&spans, other).is_err(), "{outcome:?} {} is not {other:?}", form.label);
                }
            }
        }
    }

    #[test]
    fn a_span_less_more_or_elsewhere_is_told() {
        let spans = spans_of(&forms(Outcome::PaidAtOnce)[0]);
        assert_eq!(spans.len(), 22);
        for leaf in 1..spans.len() {
            if spans.iter().any(|span| span.parent == Some(leaf)) {
                continue;
            }
            let mut less = spans.clone();
            less.remove(leaf);
            for span in &mut less {
                span.parent = span.parent.map(|parent| if parent > leaf { parent - 1 } else { parent });
            }
            let Err(Mismatch::Tree { missing, unexpected, .. }) = check(&less, Outcome::PaidAtOnce) else {
                panic!("a missing span was not seen");
            };
            assert_eq!((missing.len(), unexpected.len()), (1, 0));
        }
        let mut more = spans.clone();
        more.push(SpanNode::new("payments", "process order-placed", Kind::Consumer, Some(0)));
        let Err(Mismatch::Tree { missing, unexpected, .. }) = check(&more, Outcome::PaidAtOnce) else {
            panic!("a further span was not seen");
        };
        assert_eq!((missing.len(), unexpected.len()), (0, 1));
    }

    #[test]
    fn an_attempt_made_again_is_not_part_of_the_tree_but_a_lonely_one_is() {
        let mut spans = spans_of(&forms(Outcome::PaidAtOnce)[0]);
        let attempt =
            SpanNode { connect_failed: true, ..SpanNode::new("gateway", "POST", Kind::Client, Some(0)) };
        spans.insert(1, attempt.clone());
        for span in &mut spans[2..] {
            span.parent = span.parent.map(|parent| if parent >= 1 { parent + 1 } else { parent });
        }
        assert_eq!(check(&spans, Outcome::PaidAtOnce), Ok(()));
        spans[1].connect_failed = false;
        assert!(check(&spans, Outcome::PaidAtOnce).is_err());
        let never = &forms(Outcome::ServedByFallback)[1];
        let mut spans = spans_of(never);
        for span in spans.iter_mut().filter(|span| span.kind == Kind::Client && span.name == "GET") {
            span.connect_failed = true;
        }
        assert_eq!(check(&spans, Outcome::ServedByFallback), Ok(()));
    }

    #[test]
    fn two_roots_and_rings_are_no_tree() {
        let mut spans = spans_of(&forms(Outcome::PaidAtOnce)[0]);
        spans[5].parent = None;
        assert_eq!(check(&spans, Outcome::PaidAtOnce), Err(Mismatch::Roots { roots: 2 }));
        spans[5].parent = Some(99);
        assert_eq!(check(&spans, Outcome::PaidAtOnce), Err(Mismatch::Detached { index: 5 }));
        spans[5].parent = Some(5);
        assert_eq!(check(&spans, Outcome::PaidAtOnce), Err(Mismatch::Detached { index: 5 }));
        assert_eq!(check(&[], Outcome::Refused), Err(Mismatch::Roots { roots: 0 }));
    }
}
