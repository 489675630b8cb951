use std::fs;
use std::path::PathBuf;

use kubectl_manifest::ProblemKind;
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
                ManifestError::Text {
                    problem: ProblemKind::Syntax(_),
                    ..
                },
            ] | [
                ManifestError::Unreadable { .. },
                ManifestError::StandardInputTwice,
                ManifestError::Text {
                    problem: ProblemKind::Syntax(_),
                    ..
                },
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

fn problem(sources: &[Source], options: Options) -> String {
    names(sources, options).unwrap_err().to_string()
}

#[test]
fn what_has_to_be_built_first_is_named_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        Source::Path(path)
    };
    let config = write("kustom/config.yaml", &manifest("settings"));
    let by_name = write("kustom/kustomization.yml", "resources: [config.yaml]\n");
    let chart = write("chart/Chart.yaml", "name: web\n");
    let values = write("chart/values.yaml", "replicas: 2\n");
    let template = write("chart/templates/web.yaml", "a: {{ .Values.b }}\n");
    let other_values = write("values-prod.yaml", "replicas: 2\n");
    let path = |name: &str| Source::Path(folder.path().join(name));
    let recursive = Options { recursive: true };
    for source in [path("kustom"), by_name] {
        let said = problem(&[source], Options::default());
        assert!(said.contains("kustom` is a folder for kustomize"), "{said}");
    }
    for source in [
        path("chart"),
        path("chart/templates"),
        chart,
        values,
        template,
    ] {
        let said = problem(&[source], Options::default());
        assert!(said.contains("chart` is a Helm chart"), "{said}");
    }
    let said = problem(&[path("")], recursive);
    assert!(said.contains("is a Helm chart"), "{said}");
    let said = problem(&[other_values], Options::default());
    assert!(said.contains("values for a Helm chart"), "{said}");
    assert_eq!(names(&[config], Options::default()).unwrap(), ["settings"]);
}

#[cfg(unix)]
#[test]
fn a_mounted_config_map_is_read_once() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let real = root.join("..2026_01_01_00_00_00.123");
    fs::create_dir_all(real.join("sub")).unwrap();
    fs::write(real.join("a.yaml"), manifest("a")).unwrap();
    fs::write(real.join("sub/b.yaml"), manifest("b")).unwrap();
    symlink("..2026_01_01_00_00_00.123", root.join("..data")).unwrap();
    symlink("..data/a.yaml", root.join("a.yaml")).unwrap();
    symlink("..data/sub", root.join("sub")).unwrap();
    let source = [Source::Path(root.to_owned())];
    assert_eq!(names(&source, Options::default()).unwrap(), ["a"]);
    let mut all = names(&source, Options { recursive: true }).unwrap();
    all.sort();
    assert_eq!(all, ["a", "b"]);
    let files = expand_path(root, Options { recursive: true }).unwrap();
    assert!(files.contains(&root.join("a.yaml")), "{files:?}");
}
