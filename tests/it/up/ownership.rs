//! Fields that other managers own: named, taken, left, and never lost by accident.

use apiserver_model::{ApiServer, Disturbance};
use serde_json::{Value, json};

use super::{STATEFUL_SET, change, meanwhile, run, scale, up};
use crate::harness::Cryptoctl;

const REPLICAS: &str = "statefulset/cryptoserver:.spec.replicas";

/// The built-in set, with its replicas changed by somebody else.
async fn scaled() -> ApiServer {
    let server = ApiServer::listen().await;
    up(&server).await;
    change(&server, "kubectl-edit", |object| {
        object["spec"]["replicas"] = json!(5);
    })
    .await;
    server
}

fn live(server: &ApiServer) -> Value {
    let (group, resource, namespace, name) = STATEFUL_SET;
    server.object(group, resource, namespace, name).unwrap()
}

/// The managers that own the number of replicas.
fn owners(server: &ApiServer) -> Vec<String> {
    let object = live(server);
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let owning = entries
        .iter()
        .filter(|entry| entry["fieldsV1"]["f:spec"]["f:replicas"].is_object());
    owning
        .map(|entry| entry["manager"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_hints_of_a_conflict_take_the_field_or_leave_it() {
    for (flag, replicas, owner, words) in [
        (
            "--take",
            2,
            "cryptoctl",
            "takes `.spec.replicas` from kubectl-edit: 5 becomes 2",
        ),
        (
            "--yield",
            5,
            "kubectl-edit",
            "leaves `.spec.replicas` to kubectl-edit: it stays 5",
        ),
    ] {
        let server = scaled().await;
        let refused = run(&server, &["up"]).await.expect_code(1);
        let hint = format!("{flag} {REPLICAS}`");
        assert!(refused.stderr.contains(&hint), "{}", refused.stderr);
        assert_eq!(server.writes().len(), 0);
        let settled = run(&server, &["up", "--no-wait", flag, REPLICAS])
            .await
            .expect_code(0);
        assert!(settled.stderr.contains(words), "{}", settled.stderr);
        assert_eq!(live(&server)["spec"]["replicas"], replicas, "{flag}");
        assert_eq!(owners(&server), [owner], "{flag}");
        // What is settled stays settled.
        server.forget_requests();
        run(&server, &["diff", flag, REPLICAS]).await.expect_code(0);
        run(&server, &["up", "--no-wait", flag, REPLICAS])
            .await
            .expect_code(0);
        assert_eq!(server.writes().len(), 0, "{flag}");
    }
}

#[tokio::test]
async fn a_diff_shows_what_a_choice_would_change() {
    let server = scaled().await;
    let taken = run(&server, &["diff", "--take", ".spec"])
        .await
        .expect_code(3);
    assert!(taken.stdout.contains("+  replicas: 2"), "{}", taken.stdout);
    assert!(!taken.stderr.contains("would refuse"), "{}", taken.stderr);
    let left = run(
        &server,
        &["-o", "json", "diff", "--yield", ".spec.replicas"],
    )
    .await
    .expect_code(0);
    let end = left.json_lines().pop().unwrap();
    let objects = end["report"]["objects"].as_array().unwrap();
    let row = &objects.iter().find_map(|it| it.get("yielded")).unwrap()[0];
    assert_eq!(row["manager"], "kubectl-edit", "{row}");
    assert_eq!(row["live"], 5, "{row}");
    let open = run(&server, &["-o", "json", "diff"]).await.expect_code(3);
    let end = open.json_lines().pop().unwrap();
    let objects = end["report"]["objects"].as_array().unwrap();
    let row = &objects.iter().find_map(|it| it.get("conflicts")).unwrap()[0];
    assert_eq!(
        (&row["live"], &row["ours"]),
        (&json!(5), &json!(2)),
        "{row}"
    );
    assert_eq!(row["operation"], "update", "{row}");
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn a_choice_for_another_manager_or_object_settles_nothing() {
    let server = scaled().await;
    for pattern in [
        ".spec.replicas@kubectl",
        "statefulset/other:.spec.replicas",
        ".spec.serviceName",
    ] {
        run(&server, &["up", "--take", pattern])
            .await
            .expect_code(1);
    }
    assert_eq!(server.writes().len(), 0);
    run(&server, &["up", "--no-wait", "--force-conflicts"])
        .await
        .expect_code(0);
    assert_eq!(live(&server)["spec"]["replicas"], 2);
}

#[tokio::test]
async fn a_field_that_nobody_else_owns_is_not_left_out() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let refused = run(&server, &["up", "--yield", ".spec.replicas"])
        .await
        .expect_code(1);
    let words = "only cryptoctl owns `.spec.replicas`";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
    assert_eq!(server.writes().len(), 0);
}

#[tokio::test]
async fn what_the_configuration_leaves_to_others_is_theirs_from_their_first_write_on() {
    let folder = tempfile::tempdir().unwrap();
    let text = "yield: ['*:.spec.replicas@autoscaler']\n";
    std::fs::write(folder.path().join("cryptoctl.yaml"), text).unwrap();
    let server = ApiServer::listen().await;
    let up = async || {
        let call = Cryptoctl::new(&server).args(["up"]);
        call.current_dir(folder.path()).run().await.expect_code(0)
    };
    up().await;
    assert_eq!(live(&server)["spec"]["replicas"], 2, "sent when created");
    up().await;
    assert_eq!(owners(&server), ["cryptoctl"]);
    server.change("autoscaler", STATEFUL_SET, |object| {
        object["spec"]["replicas"] = json!(3);
    });
    up().await;
    assert_eq!(live(&server)["spec"]["replicas"], 3);
    assert_eq!(owners(&server), ["autoscaler"]);
}

#[tokio::test]
async fn a_field_is_taken_only_from_the_state_that_was_shown() {
    let server = scaled().await;
    // The first forced apply is the dry run.
    meanwhile(&server, scale(7), 1, |rule| rule.query("force=true"));
    let refused = run(&server, &["up", "--no-wait", "--take", REPLICAS])
        .await
        .expect_code(1);
    assert!(refused.stderr.contains("refused"), "{}", refused.stderr);
    assert_eq!(live(&server)["spec"]["replicas"], 7);
}

#[tokio::test]
async fn a_change_of_the_status_alone_does_not_stop_a_take() {
    let server = scaled().await;
    let crash = Disturbance::Crash("logaiter".to_owned(), "cryptoserver-0".to_owned(), 1);
    // The first forced apply is the dry run.
    meanwhile(&server, crash, 1, |rule| rule.query("force=true"));
    run(&server, &["up", "--no-wait", "--take", REPLICAS])
        .await
        .expect_code(0);
    assert_eq!(live(&server)["spec"]["replicas"], 2);
    let refused = server.requests().into_iter().filter(|request| {
        let executed = request.executed.as_ref();
        executed.is_some_and(|answer| answer.status == 409)
    });
    assert_eq!(refused.count(), 1, "the first write met another version");
}

#[tokio::test]
async fn a_choice_that_changes_nothing_is_told() {
    let server = ApiServer::listen().await;
    up(&server).await;
    let told = run(&server, &["diff", "--revert-undeclared", ".spec"])
        .await
        .expect_code(0);
    let words = "`--revert-undeclared .spec` changes nothing: it names no undeclared field";
    assert!(told.stderr.contains(words), "{}", told.stderr);
    let told = run(&server, &["diff", "--yield", ".spec.paused"])
        .await
        .expect_code(0);
    let words = "`--yield .spec.paused` changes nothing";
    assert!(told.stderr.contains(words), "{}", told.stderr);
}
