//! Explains differences by `Content-Encoding`, because bodies are compared without decoding.

use super::ReplicaAnswer;
use super::contents::Contents;
use super::group::AnswerGroup;
use super::words::replicas;

/// The sizes of gzip's fixed header and of its trailer: CRC-32 and length (RFC 1952, section 2.3).
const HEAD: usize = 10;
const TRAILER: usize = 8;

/// Explains why groups differ, if at least one of them is encoded.
pub(super) fn words(
    groups: &[&AnswerGroup],
    answers: &[ReplicaAnswer],
    contents: &Contents,
) -> Option<String> {
    let encodings: Vec<Option<&str>> = groups
        .iter()
        .map(|group| encoding(group, answers))
        .collect();
    if groups.len() < 2 || encodings.iter().all(Option::is_none) {
        return None;
    }
    let first = encodings[0];
    let all_alike = encodings.iter().all(|encoding| *encoding == first);
    let (Some(name), true) = (first, all_alike) else {
        let each: Vec<String> = groups
            .iter()
            .zip(&encodings)
            .map(|(group, encoding)| {
                let who = replicas(&group.ordinals);
                encoding.map_or_else(
                    || format!("{who} without `Content-Encoding`"),
                    |name| format!("{who} with `Content-Encoding: {name}`"),
                )
            })
            .collect();
        return Some(format!(
            "their encodings differ, and bodies are compared without decoding: {}",
            each.join(", ")
        ));
    };
    let same = match gzipped(groups, contents) {
        Some(Same::Stream) => ": the text is the same, and only the gzip headers differ",
        Some(Same::Checksum) => {
            ": their gzip trailers have the same length and CRC-32, so the text is probably the same"
        }
        None => "",
    };
    Some(format!(
        "bodies with `Content-Encoding: {name}` are compared without decoding{same}"
    ))
}

fn encoding<'a>(group: &AnswerGroup, answers: &'a [ReplicaAnswer]) -> Option<&'a str> {
    let mut of_group = answers.iter().filter(|answer| {
        answer.endpoint == group.endpoint && group.ordinals.contains(&answer.ordinal)
    });
    of_group.find_map(|answer| answer.content_encoding.as_deref())
}

/// What compressed bodies have in common.
#[derive(Debug, PartialEq, Eq)]
enum Same {
    /// The compressed stream: only the headers differ.
    Stream,
    /// The length and checksum of the text.
    Checksum,
}

fn gzipped(groups: &[&AnswerGroup], contents: &Contents) -> Option<Same> {
    let wholes: Vec<&[u8]> = groups
        .iter()
        .map(|group| {
            let content = contents.of(&group.endpoint, &group.sha256)?;
            content.whole().map(AsRef::as_ref)
        })
        .collect::<Option<_>>()?;
    same(&wholes)
}

fn same(wholes: &[&[u8]]) -> Option<Same> {
    let packed: Vec<&[u8]> = wholes
        .iter()
        .map(|whole| packed(whole))
        .collect::<Option<_>>()?;
    let all_alike = |pieces: &[&[u8]]| pieces.windows(2).all(|pair| pair[0] == pair[1]);
    if all_alike(&packed) {
        return Some(Same::Stream);
    }
    let trailers: Vec<&[u8]> = packed
        .iter()
        .map(|packed| &packed[packed.len() - TRAILER..])
        .collect();
    all_alike(&trailers).then_some(Same::Checksum)
}

/// The stream and trailer of a gzip member; `None` for anything else.
fn packed(whole: &[u8]) -> Option<&[u8]> {
    let (head, mut rest) = whole.split_at_checked(HEAD)?;
    let [0x1f, 0x8b, 8, flags, ..] = *head else {
        return None;
    };
    if flags & 0b100 != 0 {
        let (length, after) = rest.split_at_checked(2)?;
        let length = u16::from_le_bytes([length[0], length[1]]);
        rest = after.get(usize::from(length)..)?;
    }
    // The file name and the comment, each terminated by a zero byte.
    for flag in [0b1000, 0b1_0000] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 0b10 != 0 {
        rest = rest.get(2..)?;
    }
    (rest.len() > TRAILER).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1\n2\n3\n`, compressed by gzip, with a time and a file name.
    fn gzip(time: u8, name: Option<&str>) -> Vec<u8> {
        let mut whole = vec![0x1f, 0x8b, 8, 0, time, 0, 0, 0, 0, 3];
        if let Some(name) = name {
            whole[3] = 0b1000;
            whole.extend(name.as_bytes());
            whole.push(0);
        }
        whole.extend([0x33, 0xe4, 0x32, 0xe2, 0x32, 0xe6, 0x02, 0x00]);
        whole.extend([0x14, 0x0b, 0x5b, 0x7a, 6, 0, 0, 0]);
        whole
    }

    #[test]
    fn packed_data_is_the_same_when_only_its_head_differs() {
        let (early, late, named) = (gzip(1, None), gzip(2, None), gzip(1, Some("keys")));
        assert_eq!(same(&[&early, &late]), Some(Same::Stream));
        assert_eq!(same(&[&early, &named]), Some(Same::Stream));

        let mut harder = late.clone();
        harder.insert(HEAD, 0);
        assert_eq!(same(&[&early, &harder]), Some(Same::Checksum));

        let mut other = late.clone();
        *other.last_mut().unwrap() = 9;
        assert_eq!(same(&[&early, &other]), None);
        assert_eq!(same(&[&early, b"1\n2\n3\n"]), None);
        assert_eq!(same(&[&early[..HEAD], &late[..HEAD]]), None);
    }
}
