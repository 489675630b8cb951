use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::manifest::{ManifestErrors, load, load_from};

fn manifest(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

fn names(sources: &[Source], options: Options) -> Result<Vec<String>, ManifestErrors> {
    let input = manifest("stdin");
    let set = load_from(sources, options, &mut input.as_bytes())?;
    Ok(set
        .manifests()
        .iter()
        .map(|manifest| manifest.reference.name.clone())
        .collect())
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("inner")).unwrap();
    for name in [
        "b.yml",
        "a.yaml",
        "c.json",
        "d.txt",
        "inner/e.yaml",
        "Z.yaml",
    ] {
        let object = name.replace(['.', '/'], "-").to_lowercase();
        fs::write(folder.path().join(name), manifest(&object)).unwrap();
    }
    folder
}

#[test]
fn a_folder_is_read_by_name_and_not_below() {
    let folder = folder();
    let source = [Source::Path(folder.path().to_owned())];
    let flat = names(&source, Options::default()).unwrap();
    assert_eq!(flat, ["z-yaml", "a-yaml", "b-yml", "c-json"]);
    let recursive = names(&source, Options { recursive: true }).unwrap();
    assert_eq!(
        recursive,
        ["z-yaml", "a-yaml", "b-yml", "c-json", "inner-e-yaml"]
    );
}

#[test]
fn a_named_file_may_have_any_ending() {
    let folder = folder();
    let sources = [
        Source::from(folder.path().join("d.txt")),
        Source::from(PathBuf::from("-")),
    ];
    assert_eq!(
        names(&sources, Options::default()).unwrap(),
        ["d-txt", "stdin"]
    );
}

#[test]
fn a_folder_without_manifests_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "a: b").unwrap();
    let error = names(
        &[Source::Path(folder.path().to_owned())],
        Options::default(),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("holds no `.json`, `.yaml` or `.yml` file"),
        "{error}"
    );
}

#[test]
fn all_sources_are_tried() {
    let sources = [
        Source::Path(PathBuf::from("/nonexistent/a.yaml")),
        Source::StandardInput,
        Source::StandardInput,
        Source::Embedded {
            name: "built-in",
            text: "a: [",
        },
    ];
    let errors = names(&sources, Options::default()).unwrap_err().0;
    assert!(
        matches!(
            errors[..],
            [
                ManifestError::StandardInputTwice,
                ManifestError::Unreadable { .. },
                ManifestError::Syntax { .. },
            ] | [
                ManifestError::Unreadable { .. },
                ManifestError::StandardInputTwice,
                ManifestError::Syntax { .. },
            ]
        ),
        "{errors:?}"
    );
}

#[test]
fn a_device_without_end_is_refused() {
    let errors = load(&[Source::Path("/dev/zero".into())], Options::default())
        .unwrap_err()
        .0;
    assert!(
        matches!(errors[..], [ManifestError::TooLarge { .. }]),
        "{errors:?}"
    );
}
