//! Consent on a real terminal. `script` (util-linux) lends one.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::apiserver::ApiServer;
use crate::harness::Cryptoctl;

/// Runs the program on a terminal, types an answer, and returns the exit code and the screen.
fn on_a_terminal(kubeconfig: &str, arguments: &str, answer: &str) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_cryptoctl");
    let command = format!("{program} --kubeconfig {kubeconfig} {arguments}");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
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

#[tokio::test]
async fn a_declined_question_changes_nothing_and_ends_with_1() {
    let server = ApiServer::listen().await;
    Cryptoctl::new(&server)
        .args(["up", "--no-wait"])
        .run()
        .await
        .expect_code(0);
    server.forget_requests();
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
        assert!(screen.contains("declined"), "{screen}");
    }
    assert_eq!(server.writes().len(), 0);
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
