//! Whole loads: the corpus held against kubectl's reading, and inputs of every kind.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use kubectl_manifest::ProblemKind;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What kubectl takes and we refuse; the module's documentation gives the reasons.
const REFUSED_HERE: [&str; 15] = [
    "byte-order-mark-inside",
    "comment-without-space",
    "document-end-first",
    "document-end-then-more",
    "flow-colon-last",
    "flow-question-mark-first",
    "items-without-list",
    "json-keys-twice",
    "json-lone-surrogate",
    "keys-twice",
    "latin-1",
    "quoted-escape-apostrophe",
    "tag-before-comma",
    "tag-binary-not-text",
    "timestamp-tag",
];

/// What kubectl refuses and we take, since its meaning is beyond doubt.
const ACCEPTED_HERE: [&str; 4] = [
    "list-nested",
    "quoted-escape-slash",
    "quoted-escape-surrogates",
    "tab-separation",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/manifests")
}

/// Loads a text as if it came from a file called `x`.
pub(super) fn load_text(text: &'static str) -> Result<ManifestSet, ManifestErrors> {
    load(&[Source::Embedded { name: "x", text }], Options::default())
}

/// Loads bytes from standard input.
fn load_bytes(bytes: &[u8]) -> Result<ManifestSet, ManifestErrors> {
    load_from(&[Source::StandardInput], Options::default(), &mut &*bytes)
}

/// The objects in the order in which they were written.
fn objects(set: &ManifestSet) -> Vec<Value> {
    let mut manifests: Vec<_> = set.manifests().iter().collect();
    manifests.sort_by_key(|manifest| (manifest.origin.document, manifest.origin.item.clone()));
    manifests
        .into_iter()
        .map(|manifest| with_plain_numbers(&manifest.value))
        .collect()
}

/// A number is the same however JSON writes it.
fn with_plain_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) if !number.is_i64() => number
            .as_f64()
            .and_then(kubectl_manifest::from_float)
            .unwrap_or(Value::Null),
        Value::Array(items) => items.iter().map(with_plain_numbers).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), with_plain_numbers(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn a_manifest_means_what_it_means_to_kubectl() {
    let mut wrong = BTreeMap::new();
    let mut refused_here = Vec::new();
    let mut accepted_here = Vec::new();
    for entry in fs::read_dir(fixtures().join("yaml")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let expectation = fixtures()
            .join("kubectl")
            .join(&name)
            .with_extension("json");
        let expected: Value = fs::read_to_string(expectation).unwrap().parse().unwrap();
        let loaded = load(&[Source::Path(file)], Options::default());
        match (loaded, expected.as_array().map(Vec::as_slice)) {
            (Err(_), None) => {}
            // To find nothing is an error of the command to kubectl, not of its reader.
            (Err(ManifestErrors(errors)), Some([]))
                if matches!(errors[..], [ManifestError::NoObjects { .. }]) => {}
            (Err(_), Some(_)) => refused_here.push(name),
            (Ok(_), None) => accepted_here.push(name),
            (Ok(set), Some(expected)) => {
                let expected: Vec<_> = expected.iter().map(with_plain_numbers).collect();
                if objects(&set) != expected {
                    wrong.insert(name, objects(&set));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    refused_here.sort();
    accepted_here.sort();
    assert_eq!(refused_here, REFUSED_HERE);
    assert_eq!(accepted_here, ACCEPTED_HERE);
}

fn takes_too_much(errors: &[ManifestError]) -> bool {
    matches!(
        errors,
        [ManifestError::Text {
            problem: ProblemKind::TooMuchMemory(_),
            ..
        }]
    )
}

#[test]
fn an_alias_bomb_is_refused_soon() {
    let levels = (1..12).map(|level| {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        format!("a{level}: &a{level} [{aliases}]")
    });
    let first = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]".to_owned();
    let bomb = iter::once(first)
        .chain(levels)
        .collect::<Vec<_>>()
        .join("\n");
    let errors = load_bytes(bomb.as_bytes()).unwrap_err().0;
    assert!(takes_too_much(&errors), "{errors:?}");
}

#[test]
fn a_long_text_repeated_by_aliases_is_refused() {
    let text = "x".repeat(1024 * 1024);
    let aliases = "- *long\n".repeat(100);
    let errors = load_bytes(format!("- &long {text}\n{aliases}").as_bytes())
        .unwrap_err()
        .0;
    assert!(takes_too_much(&errors), "{errors:?}");
}

#[test]
fn endless_input_is_refused_at_the_limit() {
    let outcome = load_from(
        &[Source::StandardInput],
        Options::default(),
        &mut io::repeat(b' '),
    );
    let errors = outcome.unwrap_err().0;
    assert!(matches!(
        errors[..],
        [ManifestError::TooLarge {
            limit: MAX_BYTES,
            ..
        }]
    ));
}

/// To kubectl the last or the first of the two wins, by chance, so the corpus cannot say which.
#[test]
fn two_keys_that_are_one_as_text_are_refused() {
    let text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: twice}\ndata: {1: a, '1': b}\n";
    assert!(load_bytes(text).is_err());
    let once = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: once}\ndata: {'1': b}\n";
    assert!(load_bytes(once).is_ok());
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        assert!(load_bytes(text.as_bytes()).is_err());
    }
    let lines: Vec<_> = (0..2_000)
        .map(|depth| format!("{}a:", " ".repeat(depth)))
        .collect();
    assert!(load_bytes(lines.join("\n").as_bytes()).is_err());
}

#[test]
fn errors_never_quote_a_manifest() {
    let secret = "hunter2";
    let inputs = [
        format!("apiVersion: v1\nkind: Secret\nstringData:\n  a: \"{secret}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: *{secret}\n"),
        format!("apiVersion: v1\nkind: Secret\nstringData: !{secret}!x y\n"),
        format!("{secret}: 1\n{secret}: 2\n"),
        format!("{{\"a\": \"{secret}\" \"b\"}}"),
        format!("{{\"a\": {secret}}}"),
        format!("apiVersion: {secret}/{secret}/{secret}\nkind: X\nmetadata: {{name: {secret}/}}\n"),
        format!("data: !!int {secret}\n"),
        format!("%{secret}\n---\n"),
        format!("--- {secret}\n"),
    ];
    for input in inputs {
        let errors = load_bytes(input.as_bytes()).unwrap_err();
        assert!(!format!("{errors} {errors:?}").contains(secret), "{errors}");
    }
}

proptest! {
    #[test]
    fn any_bytes_load_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load_bytes(&bytes);
    }

    #[test]
    fn any_text_of_yaml_signs_loads_or_is_refused(
        text in "([a-z0-9:?,{}\\[\\]&*!|>'\"%@`#~<. \n\t-]|: |- |<<: |---\n|\\.\\.\\.\n){0,60}",
    ) {
        let _ = load_bytes(text.as_bytes());
    }

    #[test]
    fn what_json_says_is_what_is_loaded(
        numbers in prop::collection::vec(any::<i64>(), 0..5),
        float in prop::num::f64::NORMAL,
        text in "\\PC{0,20}",
    ) {
        let object = serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
            "numbers": numbers, "float": float, "text": text,
        });
        let set = load_bytes(object.to_string().as_bytes()).unwrap();
        prop_assert_eq!(objects(&set), vec![with_plain_numbers(&object)]);
    }
}
