//! Which module of `src` may import which: data flows one way, so no import goes up or in a circle.

use std::collections::BTreeSet;
use std::path::Path;

use crate::architecture::sources;

/// The modules from the bottom to the top. Each imports only from layers below its own.
const LAYERS: [&[&str]; 14] = [
    &[
        "action", "exit", "fault", "figures", "memory", "object", "quantity", "secret", "shell",
        "values",
    ],
    &[
        "answer",
        "fields",
        "file",
        "interrupt",
        "inventory",
        "json",
        "replacement",
        "risk",
        "status",
    ],
    &["diagnose", "manifest", "ui"],
    &["rollout", "start"],
    &["report"],
    &["event", "expectation"],
    &["address", "built_in", "recording", "timeline"],
    &["emitter"],
    &["cluster", "render"],
    &["cli", "plan"],
    &["config", "ops", "saved_file"],
    &["chaos", "error"],
    &["settings"],
    &["commands"],
];
/// What a pure function must not use.
const EFFECTS: [&str; 8] = [
    ".await",
    "async fn",
    "tokio::",
    "std::fs",
    "std::env",
    "std::net",
    "Instant::now",
    "Timestamp::now",
];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The module at the top of the source that a file belongs to.
fn module(path: &Path) -> String {
    let first = path.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The text of a file without its comments and tests.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {");
    let lines = text[..tests.unwrap_or(text.len())].lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| [line, "\n"]).collect()
}

/// Every source file that is not a test, with its code.
fn production() -> Vec<(String, String, String)> {
    let is_test = |path: &Path| {
        path.iter()
            .any(|part| matches!(part.to_str(), Some("tests" | "tests.rs" | "testing.rs")))
    };
    sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| (module(&path), path.display().to_string(), code(&text)))
        .collect()
}

/// The modules at the top of the source that a text names, as `crate::NAME` or in `crate::{NAME, …}`.
fn imports(code: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        let letters = text.trim_start().chars();
        letters
            .take_while(|letter| letter.is_ascii_lowercase() || *letter == '_')
            .collect()
    };
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group.split(';').next().unwrap().split(',').map(word)),
            None => drop(names.insert(word(rest))),
        }
    }
    names.retain(|name| layer(name).is_some());
    names
}

#[test]
fn every_module_has_one_layer() {
    let modules: BTreeSet<String> = sources().iter().map(|(path, _)| module(path)).collect();
    let mut known: Vec<String> = LAYERS.concat().iter().map(ToString::to_string).collect();
    known.extend(["lib".to_owned(), "main".to_owned()]);
    known.sort();
    assert_eq!(modules.into_iter().collect::<Vec<_>>(), known);
}

#[test]
fn imports_go_down() {
    for (module, path, code) in production() {
        let Some(own) = layer(&module) else { continue };
        for import in imports(&code) {
            assert!(
                import == module || layer(&import) < Some(own),
                "{path} imports `{import}`, which is not below `{module}`"
            );
        }
    }
}

#[test]
fn pure_modules_are_pure() {
    let rooms = [
        "plan", "status", "diagnose", "rollout", "report", "timeline",
    ];
    let says_pure = |text: &str| {
        let mut header = text.lines().take_while(|line| line.starts_with("//!"));
        header.any(|line| line.contains("Pure.") || line.contains(" Pure:"))
    };
    for (path, text) in sources() {
        if !rooms.iter().any(|room| path.starts_with(room)) && !says_pure(&text) {
            continue;
        }
        let code = code(&text);
        for effect in EFFECTS {
            assert!(!code.contains(effect), "{} has `{effect}`", path.display());
        }
    }
}
