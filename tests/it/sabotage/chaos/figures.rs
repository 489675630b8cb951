//! Figures that decide, runs without a fault, and several faults in a row.

use std::time::Duration;

use apiserver_model::{PodScript, Reply};
use serde_json::{Value, json};

use super::super::{KEYS, OTHER, SUCCESS, Scene, UNHEALTHY, replica};
use super::{Told, chaos, slow};

const LONG: Duration = Duration::from_secs(3);

async fn away_for_long() -> Scene {
    let script = PodScript::default().start_after(LONG);
    Scene::new().await.live(replica(0), script)
}

/// The pods that were broken, in order.
fn broken(told: &Told) -> Vec<Value> {
    let faults = told.report()["faults"].as_array().cloned();
    let pods = faults.into_iter().flatten();
    pods.map(|record| record["pod"].clone()).collect()
}

#[tokio::test]
async fn an_outage_beyond_the_budget_fails() {
    let scene = away_for_long().await;
    // A prober that comes too late by more than the budget could not tell.
    let told = chaos(&scene, &["--max-outage", "2500ms"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-0` gave no right answer for ")
        .saying("; `--max-outage` allows 2.5 s");
    let record = told.report()["faults"][0].clone();
    assert_ne!(record["proof"], json!(null), "the fault itself is proven");
    let outage = record["outage_ms"].as_u64().unwrap();
    assert!(outage >= 3000, "{outage}");
}

#[tokio::test]
async fn an_outage_within_the_budget_is_survived() {
    let scene = away_for_long().await;
    chaos(&scene, &["--max-outage", "1m", "--max-recovery", "1m"])
        .await
        .is(SUCCESS, "survived");
}

#[tokio::test]
async fn a_recovery_beyond_the_budget_fails_although_the_data_is_right() {
    let scene = away_for_long().await;
    chaos(&scene, &["--max-recovery", "1s"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("recovery took ")
        .saying("; `--max-recovery` allows 1 s")
        .with("/data/preserved", &json!(true));
}

#[tokio::test]
async fn a_control_run_breaks_and_writes_nothing() {
    let scene = Scene::new().await;
    scene
        .told(&["chaos", "--control", "--for", "1s"])
        .await
        .with("/experiment/fault", &json!(null))
        .with("/faults", &json!([]));
    assert_eq!(scene.server.writes().len(), 0);
}

#[tokio::test]
async fn a_control_run_shows_noise_that_no_fault_has_caused() {
    let scene = Scene::new().await;
    let mut replies = vec![Reply::ok(KEYS); 6];
    replies.extend([Reply::new(503, "busy"), Reply::ok(KEYS)]);
    scene.server.serve_in_turn(replica(1), "/keys", replies);
    chaos(&scene, &["--control", "--for", "2s"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1` missed 1 of ")
        .saying("probes without any fault")
        .not_saying("`cryptoserver-0`");
}

#[tokio::test]
async fn a_control_run_ends_at_once_with_a_wrong_answer() {
    let scene = Scene::new().await;
    let mut replies = vec![Reply::ok(KEYS); 6];
    replies.push(Reply::ok(OTHER));
    scene.server.serve_in_turn(replica(1), "/keys", replies);
    chaos(&scene, &["--control", "--for", "50s"])
        .await
        .is(UNHEALTHY, "failed")
        .saying("`cryptoserver-1` answered with different content");
}

#[tokio::test]
async fn every_pod_has_its_turn_once() {
    let scene = Scene::new().await;
    let told = chaos(&scene, &["--all-in-turn", "--pause", "0"])
        .await
        .is(SUCCESS, "survived")
        .saying("all 2 faults are proven");
    assert_eq!(broken(&told), ["cryptoserver-0", "cryptoserver-1"]);
}

#[tokio::test]
async fn the_same_seed_draws_the_same_pods() {
    let drawn = async |seed: &str| {
        let scene = Scene::new().await;
        let flags = ["--random", "--seed", seed, "--repeat", "4", "--pause", "0"];
        let told = chaos(&scene, &flags).await.is(SUCCESS, "survived");
        let planned = told.report()["experiment"]["pods"].clone();
        assert_eq!(json!(broken(&told)), planned);
        planned
    };
    let (first, again, other) = (drawn("7").await, drawn("7").await, drawn("8").await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn several_faults_follow_one_another_and_give_percentiles() {
    let scene = Scene::new().await;
    let told = chaos(&scene, &["--repeat", "3", "--pause", "0"])
        .await
        .is(SUCCESS, "survived")
        .saying("all 3 faults are proven");
    let report = told.report();
    let faults = report["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 3);
    for pair in faults.windows(2) {
        assert_eq!(pair[0]["uid_after"], pair[1]["uid_before"]);
        let end =
            pair[0]["at_ms"].as_u64().unwrap() + pair[0]["phases"]["all_equal"].as_u64().unwrap();
        assert!(
            end <= pair[1]["at_ms"].as_u64().unwrap(),
            "never two at once"
        );
    }
    let mut times: Vec<u64> = faults
        .iter()
        .map(|record| record["phases"]["all_equal"].as_u64().unwrap())
        .collect();
    times.sort_unstable();
    let expected = json!({
        "samples": 3, "min": times[0], "p50": times[1], "p95": times[2], "max": times[2],
    });
    assert_eq!(report["summary"]["all_equal"], expected);
    assert_eq!(scene.server.writes().len(), 3);
}

#[tokio::test]
async fn a_second_fault_does_not_follow_a_first_that_is_not_proven() {
    let mirrored = PodScript::default().mirrored();
    let scene = Scene::new().await.live(replica(0), mirrored);
    let told = chaos(&scene, &["--all-in-turn", "--pause", "0"]).await;
    let told = told.is(super::super::UNDECIDED, "inconclusive");
    assert_eq!(broken(&told), ["cryptoserver-0"]);
    assert_eq!(scene.server.writes().len(), 1);
}

#[tokio::test]
async fn the_other_replica_is_not_blamed_for_the_one_that_is_away() {
    let scene = Scene::new().await.live(replica(0), slow());
    let told = chaos(&scene, &[]).await.is(SUCCESS, "survived");
    let replicas = told.report()["availability"]["replicas"].clone();
    // That it missed no probe is asserted where time stands still, in the simulation.
    for state in ["wrong", "failing"] {
        assert_eq!(replicas[1][state], 0, "{replicas:#}");
    }
    let outage = replicas[0]["longest_outage_ms"].as_u64().unwrap();
    let gap = told.report()["prober"]["largest_gap_ms"].as_u64().unwrap();
    assert!(outage + gap >= 2000, "{replicas:#}");
}
