//! Objects that other tools made: their fields move in a step of the plan, and nothing is lost on the way.

use apiserver_model::{ApiServer, Disturbance, Fault, Rule};
use http::Method;
use serde_json::{Value, json};

use super::former_tools::{
    CLIENT_SIDE, LAST_APPLIED, SET, SETTINGS, TOKEN, WEB, folder, live, made_by, managers, run,
    run_in,
};
use super::meanwhile;
use crate::harness::Output;

/// Nothing of the values of Secrets is in any output.
fn is_discreet(output: &Output) {
    for value in ["hunter2", "aHVudGVy", "old-secret", "YW4tb2xk"] {
        assert!(!output.stdout.contains(value), "{}", output.stdout);
        assert!(!output.stderr.contains(value), "{}", output.stderr);
    }
}

/// Everything is ours, and what nobody declares is gone.
fn has_moved(server: &ApiServer) {
    for place in [SETTINGS, TOKEN, WEB] {
        let object = live(server, place);
        assert_eq!(managers(&object), ["cryptoctl"], "{object}");
        assert_eq!(object["metadata"]["annotations"].get(LAST_APPLIED), None);
    }
    assert_eq!(live(server, SETTINGS)["data"], json!({"mode": "fast"}));
    let token = live(server, TOKEN);
    assert_eq!(token["data"], json!({"password": "aHVudGVyMi1odW50ZXIy"}));
    let env = &live(server, WEB)["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(*env, json!([{"name": "A", "value": "one"}]));
}

#[tokio::test]
async fn what_kubectl_applied_moves_in_a_step_that_is_shown() {
    let server = made_by(CLIENT_SIDE, true).await;
    let shown = run(&server, &["diff"]).await.expect_code(3);
    for line in [
        "-  extra: gone  # kubectl-client-side-apply",
        "-  mode: slow  # kubectl-client-side-apply",
        "+  mode: fast",
        "-  old: \"***\"  # kubectl-client-side-apply",
    ] {
        let mut lines = shown.stdout.lines();
        assert!(lines.any(|it| it == line), "{line}: {}", shown.stdout);
    }
    let step = "configmap/settings moves 1 field from kubectl-client-side-apply to cryptoctl, \
                and drops the annotation";
    let removal = "configmap/settings removes `.data.extra`, which kubectl-client-side-apply has";
    for words in [step, removal] {
        assert!(shown.stderr.contains(words), "{}", shown.stderr);
    }
    assert!(!shown.stderr.contains("--take"), "{}", shown.stderr);
    is_discreet(&shown);
    is_discreet(&run(&server, &["up", "--dry-run"]).await.expect_code(0));
    assert_eq!(server.writes().len(), 0);
    let done = run(&server, &["up", "--no-wait"]).await.expect_code(0);
    assert!(done.stderr.contains(step), "{}", done.stderr);
    is_discreet(&done);
    has_moved(&server);
    server.forget_requests();
    let again = run(&server, &["up", "--no-wait"]).await.expect_code(0);
    assert!(!again.stderr.contains("moves"), "{}", again.stderr);
    run(&server, &["diff", "--fail-on-undeclared"])
        .await
        .expect_code(0);
    assert_eq!(server.writes().len(), 0);
    // What is no longer declared goes from now on.
    let less = folder(&SET.replace("{mode: fast}", "{}"));
    run_in(&server, &less, &["up", "--no-wait"])
        .await
        .expect_code(0);
    assert_eq!(live(&server, SETTINGS)["data"].get("mode"), None);
}

#[tokio::test]
async fn programs_are_told_what_moves() {
    let server = made_by(CLIENT_SIDE, true).await;
    let shown = run(&server, &["-o", "json", "diff"]).await.expect_code(3);
    is_discreet(&shown);
    let end = shown.json_lines().pop().unwrap();
    let objects = end["report"]["objects"].as_array().unwrap();
    let of = |kind: &str| {
        let mut objects = objects.iter();
        objects.find(|it| it["object"]["kind"] == kind).unwrap()
    };
    let moved = &of("ConfigMap")["moved"][0];
    assert_eq!(moved["manager"], CLIENT_SIDE);
    assert_eq!(moved["fields"], 1);
    assert_eq!(moved["forgets_last_applied"], true);
    assert_eq!(moved["removed"][0]["field"], ".data.extra");
    assert_eq!(of("Secret")["moved"][0]["removed"][0]["live"], Value::Null);
    let planned = run(&server, &["-o", "json", "up", "--dry-run"]).await;
    let planned = planned.expect_code(0).json_lines();
    let planned = planned.iter().find(|event| event["event"] == "planned");
    assert_eq!(planned.unwrap()["steps"][0]["moved"][0], *moved);
}

#[tokio::test]
async fn what_is_the_same_already_is_adopted_and_no_difference() {
    let server = made_by(CLIENT_SIDE, true).await;
    let set = folder(
        "apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: default}
data: {mode: slow, extra: gone}
",
    );
    let shown = run_in(&server, &set, &["diff"]).await.expect_code(0);
    let words = "not yet owned by cryptoctl";
    assert!(shown.stderr.contains(words), "{}", shown.stderr);
    run_in(&server, &set, &["up"]).await.expect_code(0);
    let settings = live(&server, SETTINGS);
    assert_eq!(managers(&settings), ["cryptoctl"]);
    assert_eq!(settings["data"], json!({"mode": "slow", "extra": "gone"}));
}

#[tokio::test]
async fn a_change_of_the_status_does_not_stop_it_and_another_change_does() {
    let crash = Disturbance::Crash("default".to_owned(), "web-0".to_owned(), 1);
    let scale = Disturbance::Scale("default".to_owned(), "web".to_owned(), 7);
    for (disturbance, code) in [(crash, 0), (scale, 1)] {
        let server = made_by(CLIENT_SIDE, true).await;
        // The first two are dry runs: of the apply, and of the move.
        meanwhile(&server, disturbance, 2, |rule| {
            rule.path("/statefulsets/web")
        });
        let done = run(&server, &["up", "--no-wait"]).await.expect_code(code);
        if code == 0 {
            has_moved(&server);
        } else {
            assert!(done.stderr.contains("refused"), "{}", done.stderr);
            let web = live(&server, WEB);
            assert_eq!(web["spec"]["replicas"], 7);
            assert!(managers(&web).contains(&CLIENT_SIDE), "{web}");
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_if_it_is_interrupted_after_the_move() {
    let server = made_by(CLIENT_SIDE, true).await;
    let before = live(&server, SETTINGS)["data"].clone();
    let refused = Fault::Error {
        status: 403,
        reason: "Forbidden",
        message: "not now",
        retry_after: None,
    };
    // Three dry runs come before the move, and one after it.
    let rule = Rule::new(refused).method(Method::PATCH);
    let rule = rule.path("/configmaps/settings");
    server.fault(rule.after(5).times(1));
    let told = run(&server, &["up", "--no-wait"]).await.expect_code(1);
    let words = "the fields of `configmap/settings` are yours now, but their values are as before";
    assert!(told.stderr.contains(words), "{}", told.stderr);
    let settings = live(&server, SETTINGS);
    assert_eq!(settings["data"], before);
    assert_eq!(managers(&settings), ["cryptoctl"]);
    run(&server, &["up", "--no-wait"]).await.expect_code(0);
    has_moved(&server);
}

#[tokio::test]
async fn values_change_only_as_they_were_shown() {
    let server = made_by(CLIENT_SIDE, true).await;
    let scale = Disturbance::Scale("default".to_owned(), "web".to_owned(), 7);
    // Two dry runs and the move come before the dry run of what is ours.
    meanwhile(&server, scale, 3, |rule| rule.path("/statefulsets/web"));
    let told = run(&server, &["up", "--no-wait"]).await.expect_code(1);
    let words = "the apply would do something else now than what was shown";
    assert!(told.stderr.contains(words), "{}", told.stderr);
    let web = live(&server, WEB);
    assert_eq!(web["spec"]["replicas"], 7);
    let env = &web["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(env.as_array().unwrap().len(), 2, "no value has changed");
    run(&server, &["up", "--no-wait", "--take", ".spec.replicas"])
        .await
        .expect_code(0);
    has_moved(&server);
}

#[tokio::test]
async fn another_tool_is_taken_over_only_by_name() {
    let server = made_by("helm", false).await;
    let shown = run(&server, &["diff"]).await.expect_code(3);
    let conflict = "`.data.mode` (live \"slow\", ours \"fast\") is owned by helm";
    assert!(shown.stderr.contains(conflict), "{}", shown.stderr);
    let hint = "helm owns fields of 3 objects: take all of them over with `cryptoctl up ";
    assert_eq!(shown.stderr.matches(hint).count(), 1, "{}", shown.stderr);
    assert!(
        shown.stderr.contains(" --take-over helm`"),
        "{}",
        shown.stderr
    );
    run(&server, &["up"]).await.expect_code(1);
    let taking = ["--take-over", "helm"];
    let shown = run(&server, &[&["diff"], &taking[..]].concat()).await;
    let shown = shown.expect_code(3);
    assert!(!shown.stderr.contains("would refuse"), "{}", shown.stderr);
    is_discreet(&shown);
    assert_eq!(server.writes().len(), 0);
    run(&server, &[&["up", "--no-wait"], &taking[..]].concat())
        .await
        .expect_code(0);
    has_moved(&server);
    let told = run(&server, &[&["diff"], &taking[..]].concat()).await;
    let words = "`--take-over helm` changes nothing: helm owns no field of the set";
    assert!(told.expect_code(0).stderr.contains(words));
}

#[tokio::test]
async fn the_configuration_names_whom_to_take_over() {
    let server = made_by("helm", false).await;
    let folder = folder(SET);
    let file = folder.path().join("cryptoctl.yaml");
    std::fs::write(&file, "take_over: [helm]\n").unwrap();
    for _ in 0..2 {
        let done = run_in(&server, &folder, &["up", "--no-wait"]).await;
        let done = done.expect_code(0);
        assert!(!done.stderr.contains("changes nothing"), "{}", done.stderr);
        has_moved(&server);
    }
    std::fs::write(&file, "take_over: [kubelet]\n").unwrap();
    let refused = run_in(&server, &folder, &["up"]).await.expect_code(2);
    let words = "`kubelet` is a part of Kubernetes and would write its fields again";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
}

#[tokio::test]
async fn nothing_is_taken_over_from_kubernetes_or_this_program() {
    let server = made_by("kube-controller-manager", false).await;
    for manager in [
        "kube-controller-manager",
        "cryptoctl",
        "cryptoctl-chaos",
        "",
    ] {
        let refused = run(&server, &["up", "--take-over", manager]).await;
        let refused = refused.expect_code(2);
        assert!(refused.stderr.contains("--take-over"), "{}", refused.stderr);
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_manager_that_applies_is_taken_over_by_name_alone() {
    let server = made_by("helm", false).await;
    for place in [SETTINGS, TOKEN, WEB] {
        server.change("kubectl-edit", place, |object| {
            object["metadata"]["managedFields"][0]["operation"] = json!("Apply");
        });
    }
    run(&server, &["up"]).await.expect_code(1);
    run(&server, &["up", "--no-wait", "--take-over", "helm"])
        .await
        .expect_code(0);
    has_moved(&server);
}

#[tokio::test]
async fn what_others_have_set_since_stays_theirs() {
    let server = made_by(CLIENT_SIDE, true).await;
    server.change("kubectl-edit", SETTINGS, |object| {
        object["data"]["extra"] = json!("mine");
        object["data"]["more"] = json!("x");
    });
    run(&server, &["up", "--no-wait"]).await.expect_code(0);
    let settings = live(&server, SETTINGS);
    let data = json!({"mode": "fast", "extra": "mine", "more": "x"});
    assert_eq!(settings["data"], data);
    assert_eq!(managers(&settings), ["cryptoctl", "kubectl-edit"]);
    // A field of the former manager that is left to others would have no owner.
    server.change(CLIENT_SIDE, WEB, |web| web["spec"]["replicas"] = json!(4));
    let folder = folder(SET);
    std::fs::write(folder.path().join("cryptoctl.yaml"), "yield: ['*:.spec']\n").unwrap();
    run_in(&server, &folder, &["up", "--no-wait"])
        .await
        .expect_code(0);
    assert_eq!(live(&server, WEB)["spec"]["replicas"], 2);
}

#[tokio::test]
async fn what_moves_in_many_objects_is_said_at_once() {
    let server = ApiServer::listen().await;
    let mut set = String::new();
    for number in 0..8 {
        let name = format!("m{number}");
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"},
            "data": {"a": "1", "b": "2"},
        });
        set = format!("{set}---\n{object}\n");
        server.create(CLIENT_SIDE, "", "configmaps", object);
    }
    let done = run_in(&server, &folder(&set), &["up"]).await.expect_code(0);
    let words = "8 objects move 16 fields from kubectl-client-side-apply to cryptoctl";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    assert!(!done.stderr.contains(" moves "), "{}", done.stderr);
}
