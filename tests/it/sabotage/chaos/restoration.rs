//! Whatever an experiment changes is as before afterwards, however it ends.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, Fault, PodScript, Rule};
use serde_json::{Value, json};

use super::super::{HUNG_UP, INTERRUPTED, SUCCESS, Scene, UNDECIDED, USAGE, everyone};
use super::{CHAOS, Told, chaos};
use crate::harness::Process;

const SCALE: [&str; 3] = ["--fault", "scale", "--allow-disruption"];
const CORDON: [&str; 2] = ["--fault", "cordon"];
const RESTORE: [&str; 2] = ["chaos", "--restore"];
const NOTES: [&str; 4] = [
    "cryptoctl/chaos-replicas",
    "cryptoctl/chaos-replicas-owners",
    "cryptoctl/chaos-cordoned-for",
    "cryptoctl/chaos-by",
];

/// A cordon takes a while when the pods take long to go.
fn lingering() -> PodScript {
    PodScript::default().stop_after(Duration::from_secs(5))
}

/// Pods that have not gone when the run is ended in the middle.
fn staying() -> PodScript {
    PodScript::default().gone_after(Duration::from_hours(1))
}

fn nodes(server: &ApiServer) -> Vec<Value> {
    server.objects("", "nodes")
}

fn is_cordoned(node: &Value) -> bool {
    node["spec"]["unschedulable"] == true
}

fn is_scaled(server: &ApiServer) -> bool {
    let set = server.object("apps", "statefulsets", "logaiter", "cryptoserver");
    set.is_some_and(|set| set["spec"]["replicas"] == 0)
}

/// Nothing of an experiment is left.
#[track_caller]
fn assert_restored(scene: &Scene) {
    let mut all = nodes(&scene.server);
    all.push(scene.set());
    for object in all {
        for note in NOTES {
            assert_eq!(
                object["metadata"]["annotations"][note],
                json!(null),
                "{object}"
            );
        }
    }
    assert_eq!(scene.set()["spec"]["replicas"], 2);
    assert_eq!(owners(scene), ["cryptoctl Apply"]);
}

/// Who owns the number of replicas.
fn owners(scene: &Scene) -> Vec<String> {
    let set = scene.set();
    let entries = set["metadata"]["managedFields"].as_array().unwrap().iter();
    entries
        .filter(|entry| entry["fieldsV1"]["f:spec"]["f:replicas"].is_object())
        .map(|entry| {
            let of = |field: &str| entry[field].as_str().unwrap().to_owned();
            format!("{} {}", of("manager"), of("operation"))
        })
        .collect()
}

/// The nodes that take no pods.
fn cordoned(scene: &Scene) -> Vec<String> {
    let nodes = nodes(&scene.server);
    let cordoned = nodes.iter().filter(|node| is_cordoned(node));
    let names = cordoned.map(|node| node["metadata"]["name"].as_str().unwrap().to_owned());
    names.collect()
}

/// Starts an experiment and returns when it is in the middle.
async fn in_the_middle(scene: &Scene, flags: &[&str], holds: fn(&ApiServer) -> bool) -> Process {
    let process = scene.start(&[&CHAOS[..], flags].concat()).await;
    scene.until(holds).await;
    process
}

async fn restore(scene: &Scene) -> Vec<String> {
    let told = scene.told(&RESTORE).await;
    assert_eq!(told.0.code(), SUCCESS, "{}", told.0.stderr);
    let restored = told.report()["restored"].as_array().cloned();
    let what = restored.into_iter().flatten();
    what.map(|one| one["what"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn all_replicas_return_after_scaling_to_zero() {
    // Long enough for every probe to see that nobody is there.
    let slow = PodScript::default().start_after(Duration::from_secs(2));
    let scene = Scene::new().await.live(everyone(), slow);
    let told = chaos(&scene, &SCALE)
        .await
        .is(SUCCESS, "survived")
        .saying("all 2 pods are proven to be new");
    assert_restored(&scene);
    let report = told.report();
    let figure = |pointer: &str| report.pointer(pointer).and_then(Value::as_u64).unwrap();
    // Nobody answered for a while, which only a prober that came too late may miss.
    let is_late = figure("/prober/largest_gap_ms") > figure("/prober/interval_ms");
    assert!(
        figure("/availability/none_answered_ms") > 0 || is_late,
        "{report:#}"
    );
}

#[tokio::test]
async fn the_next_run_scales_back_what_a_killed_run_left_at_zero() {
    let scene = Scene::new().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &SCALE, is_scaled).await;
    process.kill().await;
    assert_eq!(scene.set()["spec"]["replicas"], 0);
    let refused = chaos(&scene, &[]).await.0.expect_code(USAGE);
    assert!(refused.stderr.contains("--restore`"));
    assert_eq!(restore(&scene).await, ["scaled back to 2"]);
    assert_restored(&scene);
    assert_eq!(restore(&scene).await, Vec::<String>::new(), "no harm");
    assert_restored(&scene);
}

#[tokio::test]
async fn nothing_is_restored_while_the_experiment_still_runs() {
    let endless = PodScript::default().stop_after(Duration::from_hours(1));
    let scene = Scene::new().await.live(everyone(), endless);
    let process = in_the_middle(&scene, &SCALE, is_scaled).await;
    for command in [&RESTORE[..], &CHAOS] {
        let told = scene.told(command).await;
        let (output, said) = (&told.0, "started an experiment at ");
        assert_eq!(output.code(), UNDECIDED, "{}", output.stderr);
        assert!(output.stderr.contains(said), "{}", output.stderr);
    }
    assert_eq!(scene.set()["spec"]["replicas"], 0);
    process.kill().await;
}

#[tokio::test]
async fn what_somebody_has_scaled_since_stays() {
    let scene = Scene::new().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &SCALE, is_scaled).await;
    process.kill().await;
    let place = ("apps", "statefulsets", "logaiter", "cryptoserver");
    scene.server.change("kubectl", place, |set| {
        set["spec"]["replicas"] = json!(3);
        let generation = set["metadata"]["generation"].as_i64().unwrap();
        set["metadata"]["generation"] = json!(generation + 1);
    });
    let restored = restore(&scene).await;
    assert_eq!(
        restored,
        ["left at 3 replicas, because another client set that number since"]
    );
    assert_eq!(scene.set()["spec"]["replicas"], 3);
}

#[tokio::test]
async fn the_number_of_replicas_belongs_to_who_had_it_before() {
    let scene = Scene::new().await;
    chaos(&scene, &SCALE).await.is(SUCCESS, "survived");
    assert_restored(&scene);
    let up = scene.call(&["up", "--replicas", "3"]).run().await;
    up.expect_code(SUCCESS);
    assert_eq!(scene.set()["spec"]["replicas"], 3);
}

#[tokio::test]
async fn a_conflict_with_an_experiment_that_was_killed_names_what_undoes_it() {
    let scene = Scene::new().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &SCALE, is_scaled).await;
    process.kill().await;
    for command in [&["up"][..], &["up", "--replicas", "3"]] {
        let refused = scene.call(command).run().await.expect_code(1);
        let restore = "`cryptoctl chaos statefulset/cryptoserver -n logaiter --restore`";
        assert!(refused.stderr.contains(restore), "{}", refused.stderr);
        assert!(
            !refused.stderr.contains("--replicas 0"),
            "{}",
            refused.stderr
        );
    }
    assert_eq!(restore(&scene).await, ["scaled back to 2"]);
    assert_restored(&scene);
}

#[tokio::test]
async fn what_an_older_version_has_kept_is_given_up() {
    let scene = Scene::new().await;
    let place = ("apps", "statefulsets", "logaiter", "cryptoserver");
    for replicas in [0, 2] {
        scene.server.change("cryptoctl-chaos", place, |set| {
            set["spec"]["replicas"] = json!(replicas);
        });
    }
    assert_eq!(owners(&scene), ["cryptoctl-chaos Update"]);
    assert_eq!(restore(&scene).await.len(), 1);
    assert_eq!(owners(&scene), Vec::<String>::new());
    let up = scene.call(&["up", "--replicas", "3"]).run().await;
    up.expect_code(SUCCESS);
    assert_eq!(owners(&scene), ["cryptoctl Apply"]);
}

#[tokio::test]
async fn a_node_is_uncordoned_although_the_workload_is_gone() {
    let scene = Scene::of_two_nodes().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &CORDON, |server| {
        nodes(server).iter().any(is_cordoned)
    })
    .await;
    process.kill().await;
    let down = scene.call(&["down", "--yes"]).run().await;
    let down = down.expect_code(SUCCESS);
    let command = "`cryptoctl chaos statefulset/cryptoserver -n logaiter --restore`";
    assert!(down.stderr.contains(command), "{}", down.stderr);
    assert_eq!(cordoned(&scene).len(), 1);
    assert_eq!(restore(&scene).await, ["uncordoned"]);
    assert_eq!(cordoned(&scene), Vec::<String>::new());
}

#[tokio::test]
async fn ctrl_c_in_the_middle_restores_and_reports() {
    let scene = Scene::new().await.live(everyone(), staying());
    let process = in_the_middle(&scene, &SCALE, is_scaled).await;
    process.interrupt().await;
    let told = Told(process.finish().await)
        .is(INTERRUPTED, "inconclusive")
        .saying("the experiment was stopped after 1 of 1 fault");
    assert_eq!(told.report()["not_restored"], json!(null));
    assert_restored(&scene);
}

#[tokio::test]
async fn a_terminal_that_is_closed_in_the_middle_restores() {
    let scene = Scene::new().await.live(everyone(), staying());
    // Who runs the tests may ignore the signal, as `nohup` does, which a program inherits.
    let call = scene
        .call(&["-o", "json"])
        .args([&CHAOS[..], &SCALE].concat());
    let process = call
        .shell("exec env --default-signal=HUP \"$@\"")
        .start()
        .await;
    scene.until(is_scaled).await;
    // The kernel tells, and so does the shell.
    process.hang_up().await;
    process.hang_up().await;
    Told(process.finish().await).is(HUNG_UP, "inconclusive");
    assert_restored(&scene);
}

#[tokio::test]
async fn a_reader_that_goes_away_in_the_middle_has_it_restored() {
    let scene = Scene::new().await.live(everyone(), staying());
    let process = in_the_middle(&scene, &SCALE, is_scaled).await;
    let status = process.leave_unread().await;
    assert_eq!(status.code(), Some(UNDECIDED), "it did not come to its end");
    assert_restored(&scene);
}

#[tokio::test]
async fn ctrl_c_in_the_middle_of_a_recovery_reports_what_was_seen() {
    let slow = PodScript::default().start_after(Duration::from_mins(1));
    let scene = Scene::new().await.live(everyone(), slow);
    let process = in_the_middle(&scene, &[], |server| {
        let pod = server.object("", "pods", "logaiter", "cryptoserver-0");
        !server.writes().is_empty()
            && pod.is_some_and(|pod| pod["metadata"]["deletionTimestamp"].is_null())
    })
    .await;
    process.interrupt().await;
    Told(process.finish().await)
        .is(INTERRUPTED, "inconclusive")
        .saying("the experiment was stopped after 1 of 1 fault")
        .with("/faults/0/pod", &json!("cryptoserver-0"))
        .with("/faults/0/proof", &json!(null));
    assert_eq!(scene.server.writes().len(), 1);
}

#[tokio::test]
async fn a_node_takes_pods_again_after_the_experiment() {
    let scene = Scene::of_two_nodes().await;
    let told = chaos(&scene, &CORDON).await.is(SUCCESS, "survived");
    assert_eq!(cordoned(&scene), Vec::<String>::new());
    assert_restored(&scene);
    let writes = scene.server.writes();
    assert!(writes.iter().any(|write| write.path.ends_with("/eviction")));
    assert!(!told.report()["faults"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_node_that_was_cordoned_before_stays_so() {
    let scene = Scene::of_two_nodes().await;
    let node = scene.pod("cryptoserver-0")["spec"]["nodeName"].clone();
    let node = node.as_str().unwrap().to_owned();
    scene.server.happen(&Disturbance::Cordon {
        node: node.clone(),
        is_cordoned: true,
    });
    chaos(&scene, &CORDON).await.is(SUCCESS, "survived");
    assert_eq!(cordoned(&scene), std::slice::from_ref(&node));
    assert_eq!(restore(&scene).await, Vec::<String>::new());
    assert_eq!(cordoned(&scene), [node]);
    assert_restored(&scene);
}

#[tokio::test]
async fn the_only_node_is_uncordoned_as_soon_as_pods_are_homeless() {
    let scene = Scene::new().await;
    let words = scene.words(&["chaos", "--yes", "--fault", "cordon"]).await;
    assert!(words.contains("no other node can take"), "{words}");
    assert_eq!(cordoned(&scene), Vec::<String>::new());
    assert_restored(&scene);
}

#[tokio::test]
async fn a_program_that_is_killed_with_a_cordon_is_made_good_by_the_next_one() {
    let scene = Scene::of_two_nodes().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &CORDON, |server| {
        nodes(server).iter().any(is_cordoned)
    })
    .await;
    process.kill().await;
    assert_eq!(cordoned(&scene).len(), 1);
    assert_eq!(restore(&scene).await, ["uncordoned"]);
    assert_eq!(cordoned(&scene), Vec::<String>::new());
    assert_eq!(restore(&scene).await, Vec::<String>::new(), "no harm");
    assert_restored(&scene);
}

#[tokio::test]
async fn ctrl_c_with_a_cordon_lifts_it() {
    let scene = Scene::of_two_nodes().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &CORDON, |server| {
        nodes(server).iter().any(is_cordoned)
    })
    .await;
    process.interrupt().await;
    Told(process.finish().await).is(INTERRUPTED, "inconclusive");
    assert_eq!(cordoned(&scene), Vec::<String>::new());
    assert_restored(&scene);
}

#[tokio::test]
async fn what_cannot_be_restored_is_said_and_never_survived() {
    let scene = Scene::of_two_nodes().await.live(everyone(), lingering());
    let process = in_the_middle(&scene, &CORDON, |server| {
        nodes(server).iter().any(is_cordoned)
    })
    .await;
    scene.server.deny("patch", "nodes");
    process.interrupt().await;
    let told = Told(process.finish().await).is(INTERRUPTED, "inconclusive");
    let not_restored = told.report()["not_restored"].to_string();
    assert!(
        not_restored.contains("-n logaiter --restore`"),
        "{not_restored}"
    );
    assert_eq!(cordoned(&scene).len(), 1);
    scene.server.allow_all();
    assert_eq!(restore(&scene).await, ["uncordoned"]);
}

#[tokio::test]
async fn a_change_whose_answer_comes_too_late_is_not_left_behind() {
    for (flags, path) in [(&SCALE[..], "/statefulsets/"), (&CORDON, "/nodes/")] {
        let scene = Scene::of_two_nodes().await;
        let late = Rule::new(Fault::Late(Duration::from_mins(2)))
            .method(http::Method::PATCH)
            .path(path)
            .times(1);
        scene.server.fault(late);
        // Less than the time of one request, which would be repeated.
        let told = chaos(&scene, &[flags, &["--timeout", "8s"]].concat()).await;
        assert_ne!(told.0.code(), SUCCESS, "{}", told.0.stderr);
        assert_eq!(cordoned(&scene), Vec::<String>::new(), "{}", told.0.stderr);
        assert_restored(&scene);
    }
}
