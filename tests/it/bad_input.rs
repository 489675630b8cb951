//! Invalid manifests and flags: exit code 2, the place is named, and nothing is sent.

use apiserver_model::ApiServer;

use crate::harness::{Cryptoctl, Output};

async fn up(text: &str) -> (Output, usize) {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    std::fs::write(&file, text).unwrap();
    let output = Cryptoctl::new(&server)
        .args(["up", "-f"])
        .arg(file.to_str().unwrap())
        .run()
        .await;
    (output, server.requests().len())
}

#[tokio::test]
async fn wrong_manifests_name_their_place_and_send_nothing() {
    let bomb = (0..12).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        format!("{text}a{0}: &a{0} [*a{level}, *a{level}, *a{level}, *a{level}, *a{level}, *a{level}, *a{level}, *a{level}, *a{level}]\n", level + 1)
    });
    let table = [
        ("kind: ConfigMap\n  name: x\n", "set.yaml:2:"),
        ("just text\n", "set.yaml:1"),
        ("apiVersion: v1\nkind: ConfigMap\n", "metadata.name"),
        ("apiVersion: v1\nmetadata: {name: x}\n", "kind"),
        ("kind: ConfigMap\nmetadata: {name: x}\n", "apiVersion"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
            "set.yaml:5",
        ),
        ("# nothing but a comment\n", "set.yaml"),
        ("", "set.yaml"),
        (bomb.as_str(), "set.yaml"),
    ];
    for (text, place) in table {
        let (output, requests) = up(text).await;
        assert_eq!(output.code(), 2, "{text}\n{}", output.stderr);
        assert!(
            output.stderr.contains(place),
            "`{place}` is not in:\n{}",
            output.stderr
        );
        assert_eq!(requests, 0, "nothing is sent for:\n{text}");
        assert_eq!(output.stdout, "");
    }
}

#[tokio::test]
async fn all_problems_come_at_once() {
    let (output, _) =
        up("kind: ConfigMap\nmetadata: {name: x}\n---\napiVersion: v1\nmetadata: {name: y}\n")
            .await;
    assert!(
        output.stderr.contains("apiVersion") && output.stderr.contains("kind"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn wrong_flags_send_nothing() {
    let server = ApiServer::listen().await;
    let table: [(&[&str], &str); 9] = [
        (&["up", "-f", "absent.yaml"], "absent.yaml"),
        (&["up", "--replicas", "many"], "--replicas"),
        (&["up", "--timeout", "soon"], "duration"),
        (&["verify", "deployment/web"], "statefulset/NAME"),
        (&["verify", "-f", "-", "--path", "/x"], "no objects"),
        (&["up", "-R"], "--filename"),
        (&["chaos"], "--yes"),
        (&["down"], "--yes"),
        (&["frobnicate"], "frobnicate"),
    ];
    for (arguments, words) in table {
        let output = Cryptoctl::new(&server).args(arguments).run().await;
        assert_eq!(output.code(), 2, "{arguments:?}\n{}", output.stderr);
        assert!(
            output.stderr.contains(words),
            "`{words}` is not in:\n{}",
            output.stderr
        );
        assert_eq!(server.requests().len(), 0, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_namespace_that_the_manifest_contradicts_is_a_usage_error() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.yaml");
    std::fs::write(
        &file,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: a}\n",
    )
    .unwrap();
    let output = Cryptoctl::new(&server)
        .args(["up", "-n", "b", "-f", file.to_str().unwrap()])
        .run()
        .await
        .expect_code(2);
    assert!(
        output.stderr.contains("`a`") && output.stderr.contains("`b`"),
        "{}",
        output.stderr
    );
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn the_path_to_request_is_never_guessed() {
    let server = ApiServer::listen().await;
    let output = Cryptoctl::new(&server)
        .args(["verify", "-f", "manifests/exercise/3-refined"])
        .current_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")))
        .run()
        .await
        .expect_code(2);
    assert!(output.stderr.contains("--path"), "{}", output.stderr);
}

#[tokio::test]
async fn a_folder_for_another_tool_is_named_with_the_command_that_builds_it() {
    let server = ApiServer::listen().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("kustomization.yaml"),
        "resources: [map.yaml]\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("map.yaml"), "kind: ConfigMap\n").unwrap();
    let path = folder.path().to_str().unwrap();
    for (arguments, command) in [
        (
            &["up", "-n", "shop"][..],
            format!("kustomize build {path} | cryptoctl up -f - -n shop"),
        ),
        (
            &["rollout", "status"],
            format!("kustomize build {path} | cryptoctl rollout status -f -"),
        ),
        (
            &["down", "--yes"],
            format!("kustomize build {path} > set.yaml && cryptoctl down -f set.yaml"),
        ),
    ] {
        let output = Cryptoctl::new(&server)
            .args(arguments)
            .args(["-f", path])
            .run()
            .await
            .expect_code(2);
        assert!(
            output.stderr.contains(&command),
            "{command}:\n{}",
            output.stderr
        );
        assert_eq!(server.requests().len(), 0);
    }
}
