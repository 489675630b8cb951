//! Input that never ends, and output that cannot be delivered.

use std::path::{Path, PathBuf};
use std::process::Command;

use apiserver_model::{ApiServer, Fault, Rule};

use crate::harness::{Cryptoctl, built_in};

/// A pipe that nobody writes to.
fn pipe(folder: &Path) -> PathBuf {
    let path = folder.join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

#[tokio::test]
async fn input_that_never_comes_is_waited_for_until_the_deadline() {
    let server = ApiServer::listen().await;
    for (arguments, code) in [
        (&["up", "-f"][..], 5),
        (&["verify", "--config"], 5),
        (&["verify", "--baseline"], 5),
        (&["report"], 5),
        (&["up", "--kubeconfig"], 2),
    ] {
        let call = Cryptoctl::new(&server)
            .args(["--timeout", "1s"])
            .args(arguments);
        let pipe = pipe(call.home());
        let output = call.arg(pipe).run().await;
        assert_eq!(output.code(), code, "{arguments:?}: {output:?}");
    }
    for flag in ["--certificate-authority", "--client-certificate"] {
        let call = Cryptoctl::new(&server);
        let pipe = pipe(call.home());
        let call = call
            .args(["up", "--client-key", "/dev/null", flag])
            .arg(pipe);
        let output = call.run().await.expect_code(2);
        assert!(output.stderr.contains("regular file"), "{}", output.stderr);
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_kubeconfig_that_never_comes_can_be_given_up() {
    let call = Cryptoctl::without_cluster();
    let pipe = pipe(call.home());
    let process = call.args(["up", "--kubeconfig"]).arg(&pipe).start().await;
    // The pipe is opened, so the command was waiting for that.
    let opened = tokio::task::spawn_blocking(move || {
        std::fs::OpenOptions::new().write(true).open(pipe).unwrap()
    });
    let held = opened.await.unwrap();
    process.terminate().await;
    process.finish().await.expect_code(143);
    drop(held);
}

#[tokio::test]
async fn manifests_and_kubeconfigs_come_through_pipes() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = std::fs::read_to_string(server.kubeconfig_file(folder.path())).unwrap();
    Cryptoctl::without_cluster()
        .args(["up", "--no-wait", "--kubeconfig", "/dev/stdin"])
        .stdin(&kubeconfig)
        .run()
        .await
        .expect_code(0);
    Cryptoctl::new(&server)
        .args(["up", "-f", "/dev/stdin"])
        .stdin("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: default}\n")
        .run()
        .await
        .expect_code(0);
}

#[tokio::test]
async fn an_answer_that_cannot_be_delivered_is_no_success() {
    let server = built_in().await;
    for (words, code) in [
        ("exec \"$@\" >/dev/full", 1),
        ("exec \"$@\" >&-", 1),
        ("exec \"$@\" >/dev/null", 0),
        ("\"$@\" | true", 0),
    ] {
        let call = Cryptoctl::new(&server).args(["rollout", "status", "-o", "json"]);
        let output = call.shell(words).run().await;
        assert_eq!(output.code(), code, "{words}: {output:?}");
        assert_eq!(
            output.stderr.contains("error: "),
            code != 0,
            "{words}: {output:?}"
        );
    }
}

#[tokio::test]
async fn too_few_files_are_named() {
    let output = Cryptoctl::without_cluster()
        .arg("up")
        .shell("ulimit -n 6 && exec \"$@\"")
        .run()
        .await
        .expect_code(1);
    assert!(output.stderr.contains("ulimit -n"), "{}", output.stderr);
}

#[tokio::test]
async fn a_log_that_cannot_be_followed_is_warned_of_once() {
    let server = built_in().await;
    let fault = Fault::Error {
        status: 500,
        reason: "InternalError",
        message: "no log today",
        retry_after: None,
    };
    server.fault(Rule::new(fault.clone()).path("cryptoserver-0/log"));
    server.fault(Rule::new(fault).path("cryptoserver-1/log"));
    let process = Cryptoctl::new(&server)
        .args(["logs", "--follow"])
        .start()
        .await;
    let is_tried = |server: &ApiServer| {
        let requests = server.requests();
        requests
            .iter()
            .filter(|it| it.path.ends_with("/log"))
            .count()
            >= 6
    };
    server.until(is_tried).await;
    process.interrupt().await;
    let output = process.finish().await.expect_code(130);
    for pod in ["cryptoserver-0", "cryptoserver-1"] {
        let words = format!("cannot read the log of `{pod}`, will try again: no log today");
        assert_eq!(
            output.stderr.matches(&words).count(),
            1,
            "{}",
            output.stderr
        );
    }
}
