//! `verify`: answers that only look alike, and pods that are not what they seem.

mod answers;
mod network;
mod pods;
mod set;
mod wire;

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::{Scene, Told};

/// Verifies once.
pub(super) async fn verify(scene: &Scene) -> Told {
    scene.told(&["verify"]).await
}

/// Verifies by a configuration file.
async fn verify_by(scene: &Scene, configuration: &str) -> Told {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("cryptoctl.yaml"), configuration).unwrap();
    scene.told_in(folder.path(), &["verify"]).await
}

impl Told {
    /// What is wrong with a replica.
    #[track_caller]
    fn finding(self, ordinal: usize, problem: &str) -> Self {
        let pointer = format!("/replicas/{ordinal}/error/problem");
        self.with(&pointer, &json!(problem))
    }

    /// A replica's own answer is right.
    #[track_caller]
    fn sparing(self, ordinal: usize) -> Self {
        self.with(&format!("/replicas/{ordinal}/error"), &json!(null))
    }

    /// There is a finding of this kind.
    #[track_caller]
    pub(super) fn of_kind(self, kind: &str) -> Self {
        let report = self.report();
        let findings = report["findings"].as_array().unwrap();
        assert!(
            findings.iter().any(|finding| finding["kind"] == kind),
            "{kind} in none of {findings:#?}"
        );
        self
    }
}
