//! What a case is played on: a recorder, a folder with the case's files, and the names for what only
//! exists when it runs.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::case::{Case, Content};
use super::certificates::{Certificates, Pair};
use super::encoding::base64;
use super::plugin::{self, Call};
use super::process::{self, Circumstances, Ended, Program};
use super::recorder::{Recorder, Seen};

/// The file `set.yaml`, for programs that ask about manifests: an object whose namespace is the context's.
const SET: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n";

/// A recorder and a folder.
pub(crate) struct Stage {
    folder: TempDir,
    recorder: Recorder,
    names: Vec<(String, String)>,
}

/// What a program did with a case.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) ended: Ended,
    pub(crate) seen: Vec<Seen>,
    pub(crate) calls: Vec<Call>,
    pub(crate) token_requests: Vec<String>,
    /// The files of the case that look otherwise afterwards.
    pub(crate) changed: Vec<String>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::start();
        let port = recorder.port();
        let certificates = Certificates::get();
        let path = folder.path().to_str().unwrap().to_owned();
        let mut names = vec![
            ("folder".to_owned(), path.clone()),
            ("port".to_owned(), port.to_string()),
            ("https".to_owned(), format!("https://127.0.0.1:{port}")),
            ("http".to_owned(), format!("http://127.0.0.1:{port}")),
            ("authority".to_owned(), format!("{path}/pki/authority.crt")),
            ("authority-data".to_owned(), base64(&certificates.authority)),
            ("authority-text".to_owned(), certificates.authority.clone()),
            ("stranger-text".to_owned(), certificates.stranger.clone()),
            ("stranger".to_owned(), format!("{path}/pki/stranger.crt")),
            ("stranger-data".to_owned(), base64(&certificates.stranger)),
        ];
        for (
            owner,
            Pair {
                certificate, key, ..
            },
        ) in [("alice", &certificates.alice), ("bob", &certificates.bob)]
        {
            for (kind, text) in [("crt", certificate), ("key", key)] {
                names.push((
                    format!("{owner}.{kind}"),
                    format!("{path}/pki/{owner}.{kind}"),
                ));
                names.push((format!("{owner}.{kind}-data"), base64(text)));
                names.push((format!("{owner}.{kind}-text"), text.clone()));
                // As a string in JSON has it, without the quotes.
                names.push((format!("{owner}.{kind}-json"), text.replace('\n', "\\n")));
            }
        }
        let stage = Self {
            folder,
            recorder,
            names,
        };
        stage.write_certificates(certificates);
        stage
    }

    fn write_certificates(&self, certificates: &Certificates) {
        let (alice, bob) = (&certificates.alice, &certificates.bob);
        for (name, text) in [
            ("authority.crt", &certificates.authority),
            ("stranger.crt", &certificates.stranger),
            ("alice.crt", &alice.certificate),
            ("alice.key", &alice.key),
            ("bob.crt", &bob.certificate),
            ("bob.key", &bob.key),
        ] {
            write(&self.folder.path().join("pki").join(name), text);
        }
        write(&self.folder.path().join("set.yaml"), SET);
        for folder in ["home", "work"] {
            std::fs::create_dir_all(self.folder.path().join(folder)).unwrap();
        }
    }

    /// Puts what exists now in the place of its name between `@`.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.names
            .iter()
            .fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("@{name}@"), value)
            })
    }

    /// Plays a case from its beginning.
    pub(crate) fn play(&self, case: &Case, program: &Program) -> Run {
        let folder = self.folder.path();
        let mut before = Vec::new();
        for file in &case.files {
            let path = folder.join(file.path);
            match &file.content {
                Content::Folder => std::fs::create_dir_all(&path).unwrap(),
                Content::Text(text) => {
                    let text = self.fill(text);
                    write(&path, &text);
                    std::fs::set_permissions(&path, PermissionsExt::from_mode(file.mode)).unwrap();
                    before.push((file.path, text));
                }
            }
        }
        for path in &case.absent {
            // Usually it is not there.
            drop(std::fs::remove_file(folder.join(path)));
        }
        let calls = folder.join(plugin::CALLS);
        write(&calls, "");
        self.recorder.reset(case.unauthorized);

        let arguments: Vec<String> = case.arguments.iter().map(|text| self.fill(text)).collect();
        let environment: Vec<(String, String)> = case
            .environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), self.fill(value)))
            .collect();
        let ended = process::run(
            program,
            folder,
            &arguments,
            &environment,
            &Circumstances {
                place: case.place,
                limit: case.limit,
            },
        );
        Run {
            ended,
            seen: self.recorder.seen(),
            calls: plugin::calls(&std::fs::read_to_string(calls).unwrap()),
            token_requests: self.recorder.token_requests(),
            changed: before
                .into_iter()
                .filter(|(path, text)| {
                    std::fs::read(folder.join(path)).ok().as_deref() != Some(text.as_bytes())
                })
                .map(|(path, _)| path.to_owned())
                .collect(),
        }
    }

    /// The permissions of a file in the case's folder.
    pub(crate) fn mode(&self, path: &str) -> Option<u32> {
        let metadata = std::fs::metadata(self.folder.path().join(path)).ok()?;
        Some(metadata.permissions().mode() & 0o777)
    }

    /// The text of a file in the case's folder.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(path)).ok()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
