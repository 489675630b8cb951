//! Two `up`s of one set at once: the end is what one of them wanted, and the other one is told.

use apiserver_model::{ApiServer, PodScript, Pods};
use serde_json::{Value, json};

use super::{STATEFUL_SET, change, run, up};
use crate::harness::{Cryptoctl, Output};

const OVERWRITTEN: &str = "another client (cryptoctl) has overwritten what this run wrote: `.spec.";
const REPLICAS: &str = "statefulset/cryptoserver:.spec.replicas";

fn live(server: &ApiServer) -> Option<Value> {
    let (group, resource, namespace, name) = STATEFUL_SET;
    server.object(group, resource, namespace, name)
}

/// The image and the number of replicas.
fn values(server: &ApiServer) -> (String, i64) {
    let spec = live(server).unwrap()["spec"].clone();
    let image = spec["template"]["spec"]["containers"][0]["image"].as_str();
    (
        image.unwrap().to_owned(),
        spec["replicas"].as_i64().unwrap(),
    )
}

fn flags<'a>(image: &'a str, replicas: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--image", image, "--replicas", replicas], more].concat()
}

async fn with(server: &ApiServer, verb: &str, flags: &[&str]) -> Output {
    run(server, &[&[verb], flags].concat()).await
}

#[tokio::test]
async fn the_end_is_what_one_of_two_runs_wanted() {
    let inventory: &[&str] = &["-n", "logaiter", "--inventory", "ours"];
    for (is_new, more) in [
        (true, &[][..]),
        (true, inventory),
        (false, &[]),
        (false, inventory),
    ] {
        let server = ApiServer::listen().await;
        if !is_new {
            with(&server, "up", more).await.expect_code(0);
        }
        let runs = [flags("one:1", "1", more), flags("two:1", "3", more)];
        let [one, two] = &runs;
        let (first, second) = tokio::join!(with(&server, "up", one), with(&server, "up", two));
        let end = values(&server);
        let winner = match (end.0.as_str(), end.1) {
            ("one:1", 1) => 0,
            ("two:1", 3) => 1,
            _ => panic!("neither of both: {end:?}"),
        };
        for (index, output) in [first, second].into_iter().enumerate() {
            // Who comes second may come after the other one was done.
            let expected = output.stderr.contains(OVERWRITTEN);
            assert!(!expected || index != winner, "{}", output.stderr);
            output.expect_code(if expected { 5 } else { 0 });
        }
        let loser = &runs[1 - winner];
        with(&server, "up", loser).await.expect_code(0);
        with(&server, "diff", loser).await.expect_code(0);
    }
}

#[tokio::test]
async fn a_run_that_is_overtaken_says_so_and_waits_no_longer() {
    let server = ApiServer::listen().await;
    let never = PodScript::default().never_ready("it is slow");
    server.script(Pods::of("cryptoserver").image("slow:1"), never);
    let slow = Cryptoctl::new(&server).args(["up", "--image", "slow:1"]);
    let slow = slow.start().await;
    let is_stored = |server: &ApiServer| live(server).is_some_and(|_| values(server).0 == "slow:1");
    server.until(is_stored).await;
    let other = ["up", "--image", "other:1", "--no-wait"];
    run(&server, &other).await.expect_code(0);
    let told = slow.finish().await.expect_code(5);
    let fields = ".spec.template.spec.containers[name=\"api\"].image";
    assert!(told.stderr.contains(OVERWRITTEN), "{}", told.stderr);
    assert!(told.stderr.contains(fields), "{}", told.stderr);
}

#[tokio::test]
async fn a_run_that_takes_a_field_and_one_that_leaves_it_do_not_mix() {
    for _ in 0..3 {
        let server = ApiServer::listen().await;
        up(&server).await;
        change(&server, "kubectl-edit", |object| {
            object["spec"]["replicas"] = json!(5);
        })
        .await;
        let takes = ["--image", "one:1", "--take", REPLICAS];
        let leaves = ["--image", "two:1", "--yield", REPLICAS];
        let (taking, leaving) =
            tokio::join!(with(&server, "up", &takes), with(&server, "up", &leaves));
        // Who leaves the field has nobody to leave it to once it is taken.
        assert_eq!(values(&server), ("one:1".to_owned(), 2));
        taking.expect_code(0);
        match leaving.code() {
            0 => {}
            1 => assert!(leaving.stderr.contains("repeat the command"), "{leaving:?}"),
            5 => assert!(leaving.stderr.contains(OVERWRITTEN), "{leaving:?}"),
            _ => panic!("{leaving:?}"),
        }
        with(&server, "up", &takes).await.expect_code(0);
        with(&server, "diff", &takes).await.expect_code(0);
    }
}
