//! The rules between modules, as `docs/architecture.md` states them.

use std::path::{Path, PathBuf};

const LONGEST_FILE: usize = 400;
/// The workspace members that others could use.
const CRATES: &str = "crates";
/// The workspace members that are programs of their own.
const PROGRAMS: [&str; 2] = ["bench", "sandbox"];
const DECISIONS: &str = "docs/decisions";
/// The documents that name files, beside the decisions.
const DOCUMENTS: [&str; 5] = [
    "CONTRIBUTING.md",
    "README.md",
    "docs/architecture.md",
    "docs/dependencies.md",
    "docs/guide.md",
];
/// The folders of the workspace that documents name.
const FOLDERS: [&str; 7] = [
    "bench/",
    "crates/",
    "docs/",
    "manifests/",
    "sandbox/",
    "src/",
    "tests/",
];

pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    files_below("src")
}

/// Every Rust file below a folder of the workspace, by its path from there.
pub(crate) fn files_below(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    walk(&root, &mut files);
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&root).unwrap().to_owned(), text)
        })
        .collect()
}

/// Asserts that only source files below `allowed` contain one of the words.
fn only(allowed: &[&str], words: &[&str]) {
    only_below("src", allowed, words);
}

/// The same below another folder of the workspace.
fn only_below(folder: &str, allowed: &[&str], words: &[&str]) {
    for (path, text) in files_below(folder) {
        if allowed.iter().any(|allowed| path.starts_with(allowed)) {
            continue;
        }
        for word in words {
            let line = text
                .lines()
                .position(|line| line.contains(word) && !line.trim_start().starts_with("//"));
            assert_eq!(
                line,
                None,
                "{} names `{word}`, which is for {allowed:?}",
                path.display()
            );
        }
    }
}

#[test]
fn only_cluster_names_the_client() {
    only(
        &["cluster"],
        &[
            "kube::Client",
            "kube::Api",
            "kube::client",
            "kube::config",
            "kube::Config",
        ],
    );
}

#[test]
fn only_the_command_line_names_its_parser() {
    // `lib.rs` calls the parser, once.
    only(&["cli.rs", "cli", "commands", "lib.rs"], &["clap"]);
    only_below(CRATES, &[], &["clap"]);
}

#[test]
fn only_ui_touches_the_standard_streams() {
    let words = [
        "io::stdout",
        "io::stderr",
        "println!",
        "eprintln!",
        "Term::stderr",
    ];
    // A manifest can be read from standard input, which is then not a terminal.
    only(&["ui.rs", "ui"], &words);
    only(&["ui.rs", "ui", "manifest"], &["io::stdin"]);
}

#[test]
fn files_are_read_and_written_in_one_way() {
    let words = ["File::open", "File::create", "fs::read(", "fs::File"];
    only(&[], &words);
    only_below("crates/kubectl-config/src", &["file.rs"], &words);
}

/// The folders and the manifests of what others could use.
fn crates() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(CRATES);
    let entries = std::fs::read_dir(root).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    folders
        .map(|folder| {
            let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            let name = folder.file_name().unwrap().to_str().unwrap();
            (format!("{CRATES}/{name}"), manifest)
        })
        .collect()
}

#[test]
fn no_crate_names_anything_of_the_program() {
    for (folder, manifest) in crates() {
        let files = files_below(&folder).into_iter();
        let files = files.map(|(path, text)| (path.display().to_string(), text));
        for (path, text) in files.chain([("Cargo.toml".to_owned(), manifest)]) {
            assert!(
                !text.contains("cryptoctl"),
                "{folder}/{path} names cryptoctl"
            );
        }
    }
}

#[test]
fn every_module_is_in_the_architecture() {
    let document = include_str!("../../docs/architecture.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if !matches!(name, "main" | "lib") {
            assert!(
                document.contains(&format!("`{name}`")),
                "docs/architecture.md lacks `{name}`"
            );
        }
    }
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let table = include_str!("../../docs/dependencies.md");
    let of_crates = crates().into_iter().map(|(_, manifest)| manifest);
    for manifest in of_crates.chain([include_str!("../../Cargo.toml").to_owned()]) {
        let sections = manifest.split("\n[").filter(|section| {
            section.starts_with("dependencies]") || section.starts_with("dev-dependencies]")
        });
        for line in sections.flat_map(str::lines) {
            if let Some((name, _)) = line.split_once(" = ") {
                assert!(
                    table.contains(name.trim()),
                    "docs/dependencies.md lacks the dependency {name}"
                );
            }
        }
    }
}

/// The pages of the decisions, by their paths from the root.
fn decisions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(DECISIONS);
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| format!("{DECISIONS}/{name}"))
        .collect()
}

#[test]
fn every_decision_is_listed() {
    let list = include_str!("../../docs/decisions/README.md");
    for page in decisions() {
        let name = page.rsplit('/').next().unwrap();
        assert!(
            name == "README.md" || list.contains(&format!("]({name})")),
            "{DECISIONS}/README.md lacks {name}"
        );
    }
}

#[test]
fn documents_name_only_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = DOCUMENTS.iter().map(|&path| path.to_owned());
    for document in documents.chain(decisions()) {
        let text = std::fs::read_to_string(root.join(&document)).unwrap();
        let is_path = |word: &&str| {
            !word.contains(char::is_whitespace)
                && FOLDERS.iter().any(|folder| word.starts_with(folder))
        };
        let quoted = text.split('`').skip(1).step_by(2);
        for path in quoted.filter(is_path) {
            assert!(root.join(path).exists(), "{document} names `{path}`");
        }
        let folder = root.join(&document).parent().unwrap().to_owned();
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
            .filter(|link| !link.contains("://"));
        for link in links {
            assert!(folder.join(link).exists(), "{document} links to `{link}`");
        }
    }
}

#[test]
fn sandbox_and_benchmarks_are_built_with_no_other_package() {
    for program in PROGRAMS {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifest = std::fs::read_to_string(root.join(program).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("path = \"../"), "{program}/Cargo.toml");
    }
}

#[test]
fn files_stay_small() {
    let folders = ["src", "tests", CRATES].into_iter().chain(PROGRAMS);
    for (path, text) in folders.flat_map(files_below) {
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{} has {lines} lines",
            path.display()
        );
    }
}
