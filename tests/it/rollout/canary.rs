//! `up --canary`: a few replicas first, and the others only if all agree.

use apiserver_model::{Pods, Reply};

use super::{OTHER, image, live, pods, rollout, run};
use crate::harness::built_in;

#[tokio::test]
async fn a_canary_that_agrees_is_followed_by_the_others() {
    let server = built_in().await;
    let before = pods(&server);
    let done = run(&server, &[&["up", "--canary", "1"], &OTHER[..]].concat()).await;
    let done = done.expect_code(0);
    let words = "1 replica was updated first, and all replicas agreed";
    assert!(done.stderr.contains(words), "{}", done.stderr);
    let after = pods(&server);
    assert!(before.iter().all(|uid| !after.contains(uid)));
    assert_eq!(image(&live(&server)), OTHER[1]);
    let partition = &live(&server)["spec"]["updateStrategy"]["rollingUpdate"]["partition"];
    assert_eq!(*partition, 0);
    run(&server, &[&["diff"], &OTHER[..]].concat())
        .await
        .expect_code(0);
}

#[tokio::test]
async fn a_canary_that_serves_other_data_is_rolled_back_before_the_others_are_touched() {
    let server = built_in().await;
    let (before, good) = (pods(&server), image(&live(&server)));
    let other = Reply::ok("9\n8\n7\n6\n5\n");
    server.serve(
        Pods::of("cryptoserver").image("quay.io/k8sexercices/fileserver:v2.0"),
        "/keys",
        other,
    );
    let flags = ["--no-evidence"];
    let refuted = run(
        &server,
        &[&["up", "--canary", "1"], &OTHER[..], &flags].concat(),
    )
    .await;
    let refuted = refuted.expect_code(4);
    for words in ["replicas disagree", "rolled back to revision 1"] {
        assert!(refuted.stderr.contains(words), "{}", refuted.stderr);
    }
    let after = pods(&server);
    assert_eq!(
        (after[0] == before[0], after[1] == before[1]),
        (true, false)
    );
    assert_eq!(image(&live(&server)), good);
    let annotations = live(&server)["metadata"]["annotations"].to_string();
    assert!(!annotations.contains("paused"), "{annotations}");
    run(&server, &["diff"]).await.expect_code(0);
}

#[tokio::test]
async fn a_canary_is_refused_where_it_would_prove_nothing() {
    let server = built_in().await;
    let all = run(&server, &[&["up", "--canary", "2"], &OTHER[..]].concat()).await;
    let all = all.expect_code(1);
    assert!(all.stderr.contains("it has 2 replicas"), "{}", all.stderr);
    rollout(&server, "pause", &[]).await.expect_code(0);
    let held = run(&server, &[&["up", "--canary", "1"], &OTHER[..]].concat()).await;
    let held = held.expect_code(1);
    assert!(held.stderr.contains("is paused"), "{}", held.stderr);
    let alone = run(&server, &["up", "--path", "/keys"])
        .await
        .expect_code(2);
    assert!(alone.stderr.contains("--canary"), "{}", alone.stderr);
}
