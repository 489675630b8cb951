//! Describes in findings how the answers at one endpoint differ.

use crate::figures::count;
use std::collections::BTreeMap;

use super::contents::{Contents, Difference};
use super::finding::{Finding, FindingKind};
use super::group::{AnswerGroup, offset};
use super::problem::short;
use super::words::{replicas, serve};
use super::{ReplicaAnswer, Transport};

/// UTF-8's byte-order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// At most this many groups are described one by one.
const DESCRIBED: usize = 8;

/// The findings about the groups of one endpoint, of which there should be only one.
pub(super) fn differences(groups: &[&AnswerGroup], contents: &Contents) -> Vec<Finding> {
    let [first, second, ..] = groups else {
        return Vec::new();
    };
    if let [first, second] = groups
        && let Some(finding) = lack(first, second, contents)
    {
        return vec![finding];
    }
    let (kind, sentence) = kind(groups);
    let difference = nearest(groups, contents)
        .unwrap_or_else(|| contents.difference(&first.endpoint, &first.sha256, &second.sha256));
    let mut parts = vec![format!("{sentence}: {}", described(groups))];
    match (difference, offset(difference)) {
        (Difference::Beyond(kept), _) => parts.push(format!(
            "their first {} are equal, and the rest was not kept",
            count(kept, "byte")
        )),
        (_, Some(offset)) => parts.push(format!("the first difference is at offset {offset}")),
        (_, None) => {}
    }
    parts.extend(marked(groups, contents));
    let message = parts.join("; ");
    let mut findings = vec![Finding {
        first_difference: offset(difference),
        ..Finding::of_all(kind, message)
    }];
    if groups.len() > 2 {
        findings.extend(partial_ones(groups, contents));
    }
    findings
}

/// The kind of disagreement and the beginning of its sentence.
fn kind(groups: &[&AnswerGroup]) -> (FindingKind, String) {
    let count: usize = groups.iter().map(|group| group.ordinals.len()).sum();
    let alone: Vec<_> = groups
        .iter()
        .filter(|group| group.ordinals.len() == 1)
        .collect();
    match (groups.len(), alone.as_slice()) {
        (2, [only]) if count > 2 => (
            FindingKind::OneDiffers,
            format!("{} differs from all others", replicas(&only.ordinals)),
        ),
        (groups, alone) if groups == alone.len() && count > 2 => (
            FindingKind::AllDiffer,
            format!("no two of the {count} replicas agree"),
        ),
        _ => (FindingKind::Differ, "the replicas disagree".to_owned()),
    }
}

fn described(groups: &[&AnswerGroup]) -> String {
    let mut described: Vec<String> = groups
        .iter()
        .take(DESCRIBED)
        .map(|group| {
            format!(
                "{} {} ({})",
                replicas(&group.ordinals),
                short(&group.sha256),
                count(group.bytes, "byte")
            )
        })
        .collect();
    let hidden = groups.len().saturating_sub(DESCRIBED);
    if hidden > 0 {
        described.push(format!("and {hidden} more"));
    }
    described.join("; ")
}

/// The first offset at which any two of the groups differ.
fn nearest(groups: &[&AnswerGroup], contents: &Contents) -> Option<Difference> {
    let (first, others) = groups.split_first()?;
    others
        .iter()
        .map(|other| contents.difference(&first.endpoint, &first.sha256, &other.sha256))
        .filter(|difference| offset(*difference).is_some())
        .min_by_key(|difference| offset(*difference))
}

/// The finding if one group serves only the beginning of the other, or nothing.
fn lack(first: &AnswerGroup, second: &AnswerGroup, contents: &Contents) -> Option<Finding> {
    let difference = contents.difference(&first.endpoint, &first.sha256, &second.sha256);
    let (less, more, end) = match difference {
        Difference::FirstIsBeginning(end) => (first, second, end),
        Difference::SecondIsBeginning(end) => (second, first, end),
        _ if first.bytes == 0 => (first, second, 0),
        _ if second.bytes == 0 => (second, first, 0),
        _ => return None,
    };
    Some(lacking(less, more, end, contents))
}

fn lacking(less: &AnswerGroup, more: &AnswerGroup, end: u64, contents: &Contents) -> Finding {
    let (who, others) = (replicas(&less.ordinals), replicas(&more.ordinals));
    let (does, do_others) = (serve(&less.ordinals), serve(&more.ordinals));
    let (kind, message) = if less.bytes == 0 {
        let message = format!(
            "{who} {does} nothing, but {others} {do_others} {}",
            count(more.bytes, "byte")
        );
        (FindingKind::Empty, message)
    } else {
        let rest = rest_in_words(more, end, contents);
        let message = format!(
            "{who} {does} only the first {} of the {} that {others} {do_others}{rest}",
            less.bytes,
            count(more.bytes, "byte")
        );
        (FindingKind::Partial, message)
    };
    Finding {
        first_difference: Some(end),
        ..Finding::of_all(kind, message)
    }
}

/// Names a missing line ending, because it is invisible.
fn rest_in_words(more: &AnswerGroup, end: u64, contents: &Contents) -> &'static str {
    let whole = contents
        .of(&more.endpoint, &more.sha256)
        .and_then(|content| content.whole());
    let rest = usize::try_from(end).ok().and_then(|end| whole?.get(end..));
    match rest {
        Some(b"\n" | b"\r\n") => ": only the final line ending is missing",
        _ => "",
    }
}

/// Among several groups, each that is only the beginning of another.
fn partial_ones(groups: &[&AnswerGroup], contents: &Contents) -> Vec<Finding> {
    let longest_with = |less: &AnswerGroup| {
        groups
            .iter()
            .filter_map(|more| {
                let endpoint = &less.endpoint;
                match contents.difference(endpoint, &less.sha256, &more.sha256) {
                    Difference::FirstIsBeginning(end) => Some((*more, end)),
                    _ => None,
                }
            })
            .max_by_key(|(more, _)| more.bytes)
    };
    groups
        .iter()
        .filter_map(|less| {
            let (more, end) = longest_with(less)?;
            Some(lacking(less, more, end, contents))
        })
        .collect()
}

/// Names a byte-order mark that only some replicas serve, because it is invisible.
fn marked(groups: &[&AnswerGroup], contents: &Contents) -> Option<String> {
    let mut with: Vec<i32> = Vec::new();
    let mut without = false;
    for group in groups {
        let content = contents.of(&group.endpoint, &group.sha256)?;
        if content.beginning.as_ref()?.starts_with(BYTE_ORDER_MARK) {
            with.extend(&group.ordinals);
        } else {
            without = true;
        }
    }
    if with.is_empty() || !without {
        return None;
    }
    Some(format!(
        "only the data of {} begins with a byte-order mark",
        replicas(&with)
    ))
}

/// Findings about equal bytes with different content types or encodings.
pub(super) fn labels(group: &AnswerGroup, answers: &[ReplicaAnswer]) -> Vec<Finding> {
    let types = label(group, answers, "content type", |answer| {
        answer.content_type.as_deref()
    });
    let encodings = label(group, answers, "content encoding", |answer| {
        answer.content_encoding.as_deref()
    });
    types.into_iter().chain(encodings).collect()
}

/// Answers over different transports are not compared: the API server's proxy adds a content type if
/// there is none.
fn label(
    group: &AnswerGroup,
    answers: &[ReplicaAnswer],
    name: &str,
    of: impl Fn(&ReplicaAnswer) -> Option<&str>,
) -> Option<Finding> {
    [Transport::PortForward, Transport::PodProxy]
        .into_iter()
        .find_map(|transport| {
            let mut labels: BTreeMap<Option<&str>, Vec<i32>> = BTreeMap::new();
            let of_group = answers.iter().filter(|answer| {
                answer.transport == transport
                    && answer.error.is_none()
                    && answer.endpoint == group.endpoint
                    && answer.compared() == Some(&group.sha256)
            });
            for answer in of_group {
                labels.entry(of(answer)).or_default().push(answer.ordinal);
            }
            if labels.len() < 2 {
                return None;
            }
            let mut labels: Vec<_> = labels.into_iter().collect();
            labels.sort_by_key(|(_, ordinals)| ordinals.first().copied());
            let described: Vec<String> = labels
                .iter()
                .map(|(label, ordinals)| {
                    let who = replicas(ordinals);
                    label.map_or_else(
                        || format!("{who} without a {name}"),
                        |label| format!("{who} as `{label}`"),
                    )
                })
                .collect();
            let message = format!(
                "the same {} come with different {name}s: {}",
                count(group.bytes, "byte"),
                described.join(", ")
            );
            Some(Finding::of_all(FindingKind::ContentTypes, message))
        })
}
