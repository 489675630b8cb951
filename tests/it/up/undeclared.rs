//! Fields that are live but in no manifest: listed by `diff`, taken away only by name.

use apiserver_model::{ApiServer, Disturbance};
use serde_json::json;

use super::{STATEFUL_SET, change, meanwhile, run, scale, up};

const SNEAKY: &str =
    "statefulset/cryptoserver:.spec.template.spec.containers[name=\"api\"].env[name=\"SNEAKY\"]";

/// The built-in set, with a variable that `kubectl set env` has added.
async fn with_a_variable() -> ApiServer {
    let server = ApiServer::listen().await;
    up(&server).await;
    change(&server, "kubectl-set", |object| {
        let containers = &mut object["spec"]["template"]["spec"]["containers"];
        let variables = containers[0]["env"].as_array_mut().unwrap();
        variables.push(json!({"name": "SNEAKY", "value": "1"}));
    })
    .await;
    server
}

fn has_the_variable(server: &ApiServer) -> bool {
    let (group, resource, namespace, name) = STATEFUL_SET;
    let live = server.object(group, resource, namespace, name).unwrap();
    let variables = &live["spec"]["template"]["spec"]["containers"][0]["env"];
    let mut variables = variables.as_array().unwrap().iter();
    variables.any(|variable| variable["name"] == "SNEAKY")
}

#[tokio::test]
async fn a_diff_lists_what_no_manifest_declares() {
    let server = with_a_variable().await;
    let shown = run(&server, &["diff"]).await.expect_code(0);
    let (_, field) = SNEAKY.split_once(':').unwrap();
    let row = format!("kubectl-set: {field} = {{\"name\":\"SNEAKY\",\"value\":\"1\"}}");
    assert!(shown.stdout.contains(&row), "{}", shown.stdout);
    let counted = "unchanged, 1 undeclared field";
    assert!(shown.stderr.contains(counted), "{}", shown.stderr);
    let hint = format!("--revert-undeclared '{SNEAKY}'`");
    assert!(shown.stderr.contains(&hint), "{}", shown.stderr);
    run(&server, &["diff", "--fail-on-undeclared"])
        .await
        .expect_code(3);
    // `up` neither removes the field nor reports a change.
    run(&server, &["up"]).await.expect_code(0);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_named_field_is_taken_away_and_nothing_else() {
    let server = with_a_variable().await;
    let shown = run(&server, &["diff", "--revert-undeclared", SNEAKY])
        .await
        .expect_code(3);
    assert!(shown.stdout.contains("# kubectl-set"), "{}", shown.stdout);
    let done = run(&server, &["up", "--revert-undeclared", SNEAKY])
        .await
        .expect_code(0);
    let words = "which kubectl-set has set";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    assert!(!has_the_variable(&server));
    let shown = run(&server, &["diff", "--fail-on-undeclared"])
        .await
        .expect_code(0);
    assert!(!shown.stdout.contains("undeclared"), "{}", shown.stdout);
}

#[tokio::test]
async fn a_field_of_another_manager_or_object_stays() {
    let server = with_a_variable().await;
    for pattern in [".spec.template@kubectl-edit", "service/*:.spec"] {
        run(&server, &["up", "--revert-undeclared", pattern])
            .await
            .expect_code(0);
    }
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_field_is_taken_away_only_from_the_state_that_was_shown() {
    let server = with_a_variable().await;
    // The first two are dry runs: of the apply, and of the removal.
    meanwhile(&server, scale(7), 2, |rule| {
        rule.path("/statefulsets/cryptoserver")
    });
    let refused = run(&server, &["up", "--no-wait", "--revert-undeclared", SNEAKY])
        .await
        .expect_code(1);
    assert!(refused.stderr.contains("refused"), "{}", refused.stderr);
    assert!(has_the_variable(&server));
}

#[tokio::test]
async fn a_brief_diff_has_one_line_for_each_object() {
    let server = with_a_variable().await;
    change(&server, "kubectl-edit", |object| {
        object["spec"]["replicas"] = json!(5);
    })
    .await;
    let shown = run(&server, &["diff", "--brief", "--take", ".spec"])
        .await
        .expect_code(3);
    let line = "statefulset/cryptoserver to change: .spec.replicas";
    assert!(
        shown.stdout.lines().any(|it| it == line),
        "{}",
        shown.stdout
    );
    assert!(!shown.stdout.contains("@@"), "{}", shown.stdout);
}

#[tokio::test]
async fn blame_names_the_owner_of_every_line() {
    let server = with_a_variable().await;
    let shown = run(&server, &["diff", "--blame"]).await.expect_code(0);
    for (owner, line) in [
        ("cryptoctl", "  replicas: 2"),
        ("kubectl-set", "- name: SNEAKY"),
        ("", "# statefulset/cryptoserver in namespace logaiter"),
    ] {
        let is_there = |it: &str| it.starts_with(owner) && it.ends_with(line);
        assert!(
            shown.stdout.lines().any(is_there),
            "{owner} {line}: {}",
            shown.stdout
        );
    }
}

#[tokio::test]
async fn a_removal_is_not_called_half_done_when_the_apply_succeeds_later() {
    let server = with_a_variable().await;
    change(&server, "kubectl-edit", |object| {
        object["spec"]["replicas"] = json!(5);
    })
    .await;
    let crash = Disturbance::Crash("logaiter".to_owned(), "cryptoserver-0".to_owned(), 1);
    // Two dry runs and the removal come before the apply, which names the version.
    meanwhile(&server, crash, 3, |rule| {
        rule.path("/statefulsets/cryptoserver")
    });
    let leaving = ["--yield", ".spec.replicas", "--revert-undeclared", SNEAKY];
    let told = run(&server, &[&["up", "--no-wait"], &leaving[..]].concat())
        .await
        .expect_code(0);
    assert!(!has_the_variable(&server));
    assert!(!told.stderr.contains("warning"), "{}", told.stderr);
    let requests = server.requests();
    let mut answers = requests
        .iter()
        .filter_map(|request| request.executed.as_ref());
    assert!(
        answers.any(|answer| answer.status == 409),
        "the first apply met another version"
    );
}

#[tokio::test]
async fn a_removal_before_a_refused_apply_is_told() {
    let server = with_a_variable().await;
    change(&server, "kubectl-edit", |object| {
        object["spec"]["replicas"] = json!(5);
    })
    .await;
    // Two dry runs and the removal come before the apply.
    meanwhile(&server, scale(7), 3, |rule| {
        rule.path("/statefulsets/cryptoserver")
    });
    let leaving = ["--yield", ".spec.replicas", "--revert-undeclared", SNEAKY];
    let told = run(&server, &[&["up", "--no-wait"], &leaving[..]].concat())
        .await
        .expect_code(1);
    assert!(!has_the_variable(&server));
    let words = "the undeclared fields of `statefulset/cryptoserver` were removed before its apply";
    assert!(told.stderr.contains(words), "{}", told.stderr);
}
