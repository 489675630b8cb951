//! The set that this program carries: the exercise's file server without its holes.

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

#[cfg(test)]
mod tests {
    use super::*;
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
