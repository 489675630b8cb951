//! The built-in set: the exercise's file server without its defects.

use regex::bytes::Regex;

use crate::expectation::Expectation;
use crate::manifest::Source;

const MANIFESTS: [(&str, &str); 4] = [
    (
        "built-in/claim.yaml",
        include_str!("../manifests/builtin/claim.yaml"),
    ),
    (
        "built-in/service.yaml",
        include_str!("../manifests/builtin/service.yaml"),
    ),
    (
        "built-in/statefulset.yaml",
        include_str!("../manifests/builtin/statefulset.yaml"),
    ),
    (
        "built-in/disruption-budget.yaml",
        include_str!("../manifests/builtin/disruption-budget.yaml"),
    ),
];

/// The built-in manifests, as sources to load.
#[must_use]
pub fn sources() -> Vec<Source> {
    MANIFESTS
        .into_iter()
        .map(|(name, text)| Source::Embedded { name, text })
        .collect()
}

/// Five numbers from 1 to 14999, one per line: everything that the program writes.
const KEYS: &str = r"^((1[0-4][0-9]{3}|[1-9][0-9]{0,3})\n){5}$";

/// The expected answer of every replica of the built-in workload: all keys, the same ones
/// everywhere. The content type is left to the image.
#[must_use]
pub fn expectation() -> Expectation {
    let mut expectation = Expectation::of_path("/keys");
    // The expression is valid, as a test shows.
    expectation.matches = Regex::new(KEYS).ok();
    expectation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_five_whole_keys_are_keys() {
        let expectation = expectation();
        let keys = expectation.matches.unwrap();
        for right in ["1\n22\n333\n4444\n14999\n", "1\n1\n1\n1\n1\n"] {
            assert!(keys.is_match(right.as_bytes()), "{right}");
        }
        for wrong in [
            "",
            "1\n22\n333\n4444\n",
            "1\n22\n333\n4444\n5",
            "1\n22\n333\n4444\n5\n\n",
            "1\n22\n333\n4444\n5\n6\n",
            "1\n22\n333\n4444\n15000\n",
            "1\n22\n333\n4444\n0\n",
            "1\r\n22\r\n333\r\n4444\r\n5\r\n",
            "\u{feff}1\n22\n333\n4444\n5\n",
            "Hello world from cryptoserver-0",
        ] {
            assert!(!keys.is_match(wrong.as_bytes()), "{wrong:?}");
        }
    }
    use crate::manifest::{Options, load};

    #[test]
    fn every_manifest_of_the_folder_is_carried() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/builtin");
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(MANIFESTS.len(), files);
    }

    #[test]
    fn the_set_loads_and_its_statefulset_comes_after_what_it_refers_to() {
        let set = load(&sources(), Options::default()).unwrap();
        let names: Vec<String> = set
            .manifests()
            .iter()
            .map(|manifest| manifest.reference.to_string())
            .collect();
        let position = |name: &str| names.iter().position(|other| other == name).unwrap();
        let workload = position("statefulset/cryptoserver");
        assert!(position("persistentvolumeclaim/cryptodata") < workload);
        assert!(position("service/cryptoserver") < workload);
    }
}
