//! `verify --watch`: one line for each change, and the worst round decides.

use apiserver_model::{Pods, Reply};
use serde_json::Value;

use super::{KEYS, cluster, report, verify_with};

#[tokio::test]
async fn only_changes_are_told_and_the_worst_round_decides() {
    let server = cluster().await;
    let wrong = Reply::new(500, "no");
    let replies = vec![
        Reply::ok(KEYS),
        Reply::ok(KEYS),
        wrong.clone(),
        wrong,
        Reply::ok(KEYS),
    ];
    let pod = Pods::of("cryptoserver").ordinal(1);
    server.serve_in_turn(pod, "/keys", replies);
    // Long enough for five rounds on any machine.
    let flags = ["--watch", "--every", "50ms", "--for", "10s"];
    let output = verify_with(&server, &flags).await.expect_code(4);
    let rounds: Vec<(Value, Value)> = output
        .json_lines()
        .into_iter()
        .filter(|line| line["event"] == "round")
        .map(|line| (line["number"].clone(), line["verdict"].clone()))
        .collect();
    let expected = [(1, "success"), (3, "unhealthy"), (5, "success")];
    assert_eq!(
        rounds,
        expected.map(|(number, verdict)| (Value::from(number), Value::from(verdict)))
    );
    let report = report(&output);
    assert_eq!(report["verdict"], "success", "that of the last round");
    assert_eq!(report["rounds"]["unhealthy"], 2);
    assert_eq!(report["rounds"]["changes"], 2);
    assert_eq!(output.json_lines().last().unwrap()["outcome"], "unhealthy");
}

#[tokio::test]
async fn a_workload_that_is_not_there_ends_the_watch_at_once() {
    let server = cluster().await;
    let flags = ["--watch", "--path", "/keys", "statefulset/other"];
    let output = verify_with(&server, &flags).await.expect_code(1);
    assert!(
        output.stderr.contains("does not exist"),
        "{}",
        output.stderr
    );
}

#[tokio::test]
async fn the_watch_lasts_as_long_as_requested() {
    let server = cluster().await;
    let flags = ["--watch", "--every", "1h", "--for", "1s"];
    let output = verify_with(&server, &flags).await.expect_code(0);
    assert_eq!(report(&output)["rounds"]["count"], 2, "the last at its end");
}
