//! Consent on a real terminal, which `script` (util-linux) provides.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use apiserver_model::ApiServer;

use crate::harness::Cryptoctl;

/// Runs the program on a terminal, types an answer, and returns the exit code and the screen.
fn on_a_terminal(kubeconfig: &str, arguments: &str, answer: &str) -> (i32, String) {
    on_a_terminal_in(Path::new("/"), kubeconfig, arguments, answer)
}

fn on_a_terminal_in(
    folder: &Path,
    kubeconfig: &str,
    arguments: &str,
    answer: &str,
) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_cryptoctl");
    let command = format!("{program} --kubeconfig {kubeconfig} {arguments}");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(answer.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), screen)
}

/// A server with the built-in set, whose rollout no command has waited for.
async fn deployed() -> ApiServer {
    let server = ApiServer::listen().await;
    Cryptoctl::new(&server)
        .args(["up", "--no-wait"])
        .run()
        .await
        .expect_code(0);
    server.forget_requests();
    server
}

#[tokio::test]
async fn declining_changes_nothing_and_exits_with_1() {
    let server = deployed().await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = server.kubeconfig_file(folder.path());
    let kubeconfig = kubeconfig.to_str().unwrap().to_owned();
    for (arguments, answer) in [("down", "n\n"), ("down", "\n"), ("chaos", "no\n")] {
        let kubeconfig = kubeconfig.clone();
        let ended =
            tokio::task::spawn_blocking(move || on_a_terminal(&kubeconfig, arguments, answer));
        let (code, screen) = ended.await.unwrap();
        assert_eq!(code, 1, "{screen}");
        assert!(
            screen.contains("context `model`"),
            "the place is shown:\n{screen}"
        );
        assert!(screen.contains("\nContinue? [y/N]"), "{screen}");
        assert!(screen.contains("declined"), "{screen}");
    }
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_command_in_a_question_goes_to_the_cluster_of_the_run() {
    let server = deployed().await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = server.kubeconfig_file(folder.path());
    let kubeconfig = kubeconfig.to_str().unwrap().to_owned();
    let led = format!("`cryptoctl --kubeconfig={kubeconfig} chaos statefulset/cryptoserver ");
    let scale = "chaos --fault scale --allow-disruption";
    let ended = tokio::task::spawn_blocking(move || on_a_terminal(&kubeconfig, scale, "no\n"));
    let (_, screen) = ended.await.unwrap();
    assert!(screen.contains(&led), "{led} in:\n{screen}");
}

#[tokio::test]
async fn a_yes_is_enough() {
    let server = ApiServer::listen().await;
    Cryptoctl::new(&server)
        .args(["up", "--no-wait"])
        .run()
        .await
        .expect_code(0);
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = server
        .kubeconfig_file(folder.path())
        .to_str()
        .unwrap()
        .to_owned();
    let ended = tokio::task::spawn_blocking(move || on_a_terminal(&kubeconfig, "down", "y\n"));
    let (code, screen) = ended.await.unwrap();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("cryptodata"),
        "what stays is shown:\n{screen}"
    );
    assert!(
        server
            .object("", "persistentvolumeclaims", "logaiter", "cryptodata")
            .is_some()
    );
    assert!(
        server
            .object("apps", "statefulsets", "logaiter", "cryptoserver")
            .is_none()
    );
}

#[tokio::test]
async fn a_protected_context_is_changed_only_after_typing_its_name() {
    let server = deployed().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cryptoctl.yaml");
    std::fs::write(file, "protected_contexts: [model]\n").unwrap();
    let kubeconfig = server.kubeconfig_file(folder.path());
    let run = async |arguments: &'static str, answer: &'static str| {
        let kubeconfig = kubeconfig.to_str().unwrap().to_owned();
        let folder = folder.path().to_owned();
        tokio::task::spawn_blocking(move || {
            on_a_terminal_in(&folder, &kubeconfig, arguments, answer)
        })
        .await
        .unwrap()
    };
    for arguments in [
        "up",
        "up --yes",
        "down --yes",
        "down --yes --delete-data",
        "chaos --yes",
    ] {
        for answer in ["y\n", "yes\n", "\n", "Model\n"] {
            let (code, screen) = run(arguments, answer).await;
            assert_eq!(code, 1, "{arguments}: {screen}");
            assert!(screen.contains("type its name"), "{arguments}: {screen}");
            assert!(screen.contains("declined"), "{arguments}: {screen}");
        }
    }
    assert_eq!(server.writes().len(), 0);
    for arguments in ["up --no-wait", "down --yes"] {
        let (code, screen) = run(arguments, "model\n").await;
        assert_eq!(code, 0, "{arguments}: {screen}");
    }
    assert_ne!(server.writes().len(), 0);
}
