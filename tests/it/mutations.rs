//! The mutations of `cargo sandbox mutations`: each still applies to the source.

use std::path::Path;

#[test]
fn every_mutation_fits_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in std::fs::read_dir(root.join("tests/mutations")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let bug: toml_edit::DocumentMut = text.parse().unwrap();
        let field = |name: &str| {
            let value = bug.get(name).and_then(toml_edit::Item::as_str);
            value.unwrap_or_else(|| panic!("{} lacks `{name}`", path.display()))
        };
        let source = std::fs::read_to_string(root.join(field("file"))).unwrap();
        let places = source.matches(field("find")).count();
        assert_eq!(
            places,
            1,
            "{} fits {places} places of {}",
            path.display(),
            field("file")
        );
        assert_ne!(field("find"), field("replace"));
        assert!(!field("why").is_empty());
        count += 1;
    }
    assert!(
        count >= 12,
        "{count} bugs are too few to trust the simulation by"
    );
}
