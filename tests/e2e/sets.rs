//! The exercise's stages, moved into a test's namespace and accelerated where a test does not need
//! to wait.

use std::path::Path;

use crate::harness::Namespace;

/// A stage of the exercise for this namespace, as a folder.
pub(crate) fn stage(namespace: &Namespace, stage: &str, step_milliseconds: u32) -> String {
    moved(namespace, &format!("exercise/{stage}"), step_milliseconds)
}

/// The built-in set for this namespace, as a folder.
pub(crate) fn built_in(namespace: &Namespace, step_milliseconds: u32) -> String {
    moved(namespace, "builtin", step_milliseconds)
}

/// Copies a folder of manifests into this namespace; each of the five waits of the program takes
/// `step_milliseconds`.
fn moved(namespace: &Namespace, folder: &str, step_milliseconds: u32) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("manifests")
        .join(folder);
    let mut written = None;
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = hurried(&std::fs::read_to_string(&path).unwrap(), step_milliseconds).replace(
            "namespace: logaiter",
            &format!("namespace: {}", namespace.name),
        );
        written = Some(namespace.file(&format!("{folder}/{name}"), &text));
    }
    written
        .unwrap()
        .parent()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

/// Sets the stand-in's variable beside every `DATA_PATH`.
fn hurried(text: &str, step_milliseconds: u32) -> String {
    let mut lines = Vec::new();
    let mut source = text.lines();
    while let Some(line) = source.next() {
        lines.push(line.to_owned());
        if let Some(indent) = line.find("- name: DATA_PATH") {
            let indent = &line[..indent];
            lines.extend(source.next().map(str::to_owned));
            lines.push(format!("{indent}- name: FILESERVER_STEP_MILLISECONDS"));
            lines.push(format!("{indent}  value: \"{step_milliseconds}\""));
        }
    }
    lines.join("\n")
}
