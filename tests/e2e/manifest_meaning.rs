//! Compares `tests/fixtures/manifests/kubectl`, which records what each manifest of the corpus
//! means to kubectl, with the real kubectl. A hermetic test compares our own reading with the same
//! files.
//!
//! kubectl reads the files with its usual code (`annotate --local`, which removes an annotation
//! that no object has) and prints the result; no cluster is involved.
//!
//! After a change of the corpus, run it with `SNAPSHOTS=overwrite`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Deserializer, Value};

const KUBECTL: &str = "CRYPTOCTL_SANDBOX_KUBECTL";

#[test]
fn expectations_are_what_kubectl_says() {
    let kubectl = std::env::var_os(KUBECTL).expect("the sandbox sets its kubectl");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifests");
    let overwrite = std::env::var("SNAPSHOTS").is_ok_and(|mode| mode == "overwrite");
    let mut different = Vec::new();
    for file in files(&corpus.join("yaml")) {
        let actual = meaning_to(Path::new(&kubectl), &file);
        let name = file.file_stem().expect("a file has a name");
        let expectation = corpus.join("kubectl").join(name).with_extension("json");
        if overwrite {
            let text = serde_json::to_string_pretty(&actual).expect("a value is JSON");
            fs::write(&expectation, text + "\n").expect("the expectation can be written");
        } else if fs::read_to_string(&expectation)
            .ok()
            .and_then(|text| text.parse().ok())
            != Some(actual)
        {
            different.push(file);
        }
    }
    assert!(
        different.is_empty(),
        "kubectl reads differently: {different:#?}"
    );
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the corpus is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// The list of objects that kubectl reads, or the text `refused`.
fn meaning_to(kubectl: &Path, file: &Path) -> Value {
    let output = Command::new(kubectl)
        .args([
            "annotate",
            "--local",
            "--output=json",
            "no-such-annotation-",
            "--filename",
        ])
        .arg(file)
        .env("KUBECONFIG", "/dev/null")
        .output()
        .expect("kubectl runs");
    if !output.status.success() {
        return Value::from("refused");
    }
    let objects = Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let objects = objects.map(|object| without_empty_annotations(object.expect("JSON")));
    Value::Array(objects.collect())
}

/// `annotate` leaves empty annotations behind.
fn without_empty_annotations(mut object: Value) -> Value {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata
        && metadata
            .get("annotations")
            .and_then(Value::as_object)
            .is_some_and(|map| map.is_empty())
    {
        metadata.shift_remove("annotations");
    }
    object
}
