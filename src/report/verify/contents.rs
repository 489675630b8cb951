//! Keeps the beginnings of the different bodies during a verification, to describe how they differ.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Endpoint;
use crate::answer::Fragment;

/// The beginnings of the compared contents, one for each digest.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    endpoints: BTreeMap<Endpoint, BTreeMap<String, Content>>,
    fragments: BTreeMap<(Endpoint, i32), Fragment>,
}

/// The known part of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its length in bytes.
    pub bytes: u64,
    /// Its beginning, unless enough others were kept already.
    pub beginning: Option<Bytes>,
}

/// How two contents differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The bytes at this offset differ.
    At(u64),
    /// The first is the beginning of the second and ends at this offset.
    FirstIsBeginning(u64),
    /// The second is the beginning of the first and ends at this offset.
    SecondIsBeginning(u64),
    /// The kept beginnings, this many bytes, are equal.
    Beyond(u64),
    /// At least one was not kept.
    Unknown,
}

impl Contents {
    /// How many bytes of a body are kept.
    pub const KEPT: u64 = 1 << 20;
    /// How many different beginnings are kept for one endpoint.
    pub const DISTINCT: usize = 8;

    /// Keeps the beginning of a content, unless it or enough others are kept already.
    pub fn keep(&mut self, endpoint: &Endpoint, sha256: &str, bytes: u64, beginning: &Bytes) {
        let contents = self.endpoints.entry(endpoint.clone()).or_default();
        if contents.contains_key(sha256) {
            return;
        }
        let kept = contents
            .values()
            .filter(|content| content.beginning.is_some())
            .count();
        let content = Content {
            bytes,
            beginning: (kept < Self::DISTINCT).then(|| shortened(beginning)),
        };
        contents.insert(sha256.to_owned(), content);
    }

    /// Keeps an incomplete answer, and its beginning unless enough others are kept already.
    pub fn keep_fragment(&mut self, endpoint: &Endpoint, ordinal: i32, fragment: Fragment) {
        let begun = self.fragments.values();
        let kept = begun.filter(|other| !other.beginning.is_empty()).count();
        let beginning = if kept < Self::DISTINCT {
            shortened(&fragment.beginning)
        } else {
            Bytes::new()
        };
        let fragment = Fragment {
            beginning,
            ..fragment
        };
        self.fragments.insert((endpoint.clone(), ordinal), fragment);
    }

    /// The kept answer of a replica that has no proven end.
    #[must_use]
    pub fn fragment(&self, endpoint: &Endpoint, ordinal: i32) -> Option<&Fragment> {
        self.fragments.get(&(endpoint.clone(), ordinal))
    }

    /// The known part of a content.
    #[must_use]
    pub fn of(&self, endpoint: &Endpoint, sha256: &str) -> Option<&Content> {
        self.endpoints.get(endpoint)?.get(sha256)
    }

    /// How two contents differ.
    #[must_use]
    pub fn difference(&self, endpoint: &Endpoint, first: &str, second: &str) -> Difference {
        match (self.of(endpoint, first), self.of(endpoint, second)) {
            (Some(first), Some(second)) => first.difference(second),
            _ => Difference::Unknown,
        }
    }
}

impl Content {
    /// The whole content, if all of it is known.
    #[must_use]
    pub fn whole(&self) -> Option<&Bytes> {
        let beginning = self.beginning.as_ref()?;
        (beginning.len() as u64 == self.bytes).then_some(beginning)
    }

    /// How it differs from another content with a different digest.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Difference {
        let (Some(first), Some(second)) = (&self.beginning, &other.beginning) else {
            return Difference::Unknown;
        };
        let differing = first.iter().zip(second.iter()).position(|(a, b)| a != b);
        if let Some(offset) = differing {
            return Difference::At(offset as u64);
        }
        let common = first.len().min(second.len()) as u64;
        // A beginning proves nothing about the part that was not kept.
        if common == self.bytes && other.bytes > self.bytes {
            Difference::FirstIsBeginning(common)
        } else if common == other.bytes && self.bytes > other.bytes {
            Difference::SecondIsBeginning(common)
        } else {
            Difference::Beyond(common)
        }
    }
}

/// Copies the part to keep, so that the rest is freed.
fn shortened(beginning: &Bytes) -> Bytes {
    let kept = usize::try_from(Contents::KEPT).unwrap_or(usize::MAX);
    match beginning.get(..kept) {
        Some(start) if start.len() < beginning.len() => Bytes::copy_from_slice(start),
        _ => beginning.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str, bytes: u64) -> Content {
        Content {
            bytes,
            beginning: Some(Bytes::copy_from_slice(text.as_bytes())),
        }
    }

    #[test]
    fn two_contents_differ_where_their_bytes_first_do() {
        let whole = |text: &str| content(text, text.len() as u64);
        let table = [
            (whole("abc"), whole("abd"), Difference::At(2)),
            (whole("\u{feff}abc"), whole("abc"), Difference::At(0)),
            (
                whole("abc"),
                whole("abc\n"),
                Difference::FirstIsBeginning(3),
            ),
            (
                whole("abc\n"),
                whole("abc"),
                Difference::SecondIsBeginning(3),
            ),
            (whole(""), whole("abc"), Difference::FirstIsBeginning(0)),
            // Only three of five bytes of the first were kept.
            (content("abc", 5), whole("abcd"), Difference::Beyond(3)),
            (content("abc", 5), content("abc", 9), Difference::Beyond(3)),
            (
                whole("abc"),
                content("abcd", 9),
                Difference::FirstIsBeginning(3),
            ),
            (content("abc", 5), content("abd", 9), Difference::At(2)),
        ];
        for (first, second, expected) in table {
            assert_eq!(first.difference(&second), expected, "{first:?} {second:?}");
        }
        let unknown = Content {
            bytes: 3,
            beginning: None,
        };
        assert_eq!(unknown.difference(&whole("abc")), Difference::Unknown);
    }

    #[test]
    fn only_the_first_beginnings_are_kept_and_never_more_than_a_mebibyte() {
        let endpoint = Endpoint {
            port: 80,
            path: "/".to_owned(),
        };
        let mut contents = Contents::default();
        let large = Bytes::from(vec![b'x'; 2 << 20]);
        for number in 0..=Contents::DISTINCT {
            contents.keep(&endpoint, &number.to_string(), 2 << 20, &large);
        }
        let kept = |number: usize| {
            let content = contents.of(&endpoint, &number.to_string()).unwrap();
            content.beginning.as_ref().map(|kept| kept.len() as u64)
        };
        assert_eq!(kept(0), Some(Contents::KEPT));
        assert_eq!(kept(Contents::DISTINCT - 1), Some(Contents::KEPT));
        assert_eq!(kept(Contents::DISTINCT), None);
    }
}
