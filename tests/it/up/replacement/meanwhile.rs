//! Runs that are cut off, and clients that write meanwhile: no pod, no replica and no owner is lost.

use apiserver_model::{Disturbance, Fault, Rule};
use http::Method;
use serde_json::{Value, json};

use super::{SET, Shop, said, with};

#[tokio::test]
async fn what_an_autoscaler_writes_meanwhile_is_shown_first() {
    let shop = Shop::open().await;
    let scale = |replicas: i64| Disturbance::Scale("shop".to_owned(), "web".to_owned(), replicas);
    shop.server.happen(&scale(3));
    shop.server.until_ready("shop", "web", 3).await;
    let before = shop.pods();
    let deletion = Rule::new(Fault::Meanwhile(scale(4))).method(Method::DELETE);
    shop.server.fault(deletion.times(1));
    let parallel = with("podManagementPolicy", json!("Parallel"));
    let flags = ["--yes", "--yield", ".spec.replicas"];
    let refused = shop.up(&parallel, &flags).await.expect_code(1);
    let words = "it is no longer as it was shown";
    assert!(said(&refused).contains(words), "{}", said(&refused));
    shop.server.until_ready("shop", "web", 4).await;
    shop.up(&parallel, &flags).await.expect_code(0);
    assert_eq!(shop.live()["spec"]["replicas"], 4);
    let after = shop.pods();
    assert_eq!(after.len(), 4);
    assert_eq!(after[..3], before[..], "no pod was removed");
}

#[tokio::test]
async fn an_interrupted_run_loses_no_replica_of_an_autoscaler() {
    let shop = Shop::open().await;
    shop.server.change("autoscaler", SET, |set| {
        set["spec"]["replicas"] = json!(3);
    });
    shop.server.until_ready("shop", "web", 3).await;
    let before = shop.pods();
    let parallel = with("podManagementPolicy", json!("Parallel"));
    let flags = ["--yes", "--yield", ".spec.replicas"];
    let refusal = Fault::Error {
        status: 500,
        reason: "InternalError",
        message: "etcd is away",
        retry_after: None,
    };
    let creation = Rule::new(refusal).method(Method::PATCH);
    shop.server
        .fault(creation.query("fieldManager=cryptoctl-rollout"));
    shop.up(&parallel, &flags).await.expect_code(1);
    shop.server.heal();
    shop.up(&parallel, &flags).await.expect_code(0);
    assert_eq!(shop.live()["spec"]["replicas"], 3);
    assert_eq!(shop.pods(), before, "no pod was removed");
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_finished_by_the_next_one() {
    let shop = Shop::open().await;
    let other = with("serviceName", json!("other"));
    let refusal = Fault::Error {
        status: 500,
        reason: "InternalError",
        message: "etcd is away",
        retry_after: None,
    };
    // The dry runs before the deletion succeed, the creation does not.
    let creation = Rule::new(refusal)
        .method(Method::PATCH)
        .query("fieldManager=cryptoctl-rollout");
    shop.server.fault(creation);
    let cut = shop.up(&other, &["--yes"]).await.expect_code(1);
    let words = "is not created again yet: repeat the command to create it";
    assert!(said(&cut).contains(words), "{}", cut.stderr);
    let (group, resource, namespace, name) = SET;
    let live: Option<Value> = shop.server.object(group, resource, namespace, name);
    assert!(live.is_none(), "it was deleted");
    assert_eq!(shop.pods().len(), 2, "its pods keep running");
    shop.server.heal();
    let shown = shop.with("diff", &other, &[]).await.expect_code(3);
    let words = "takes over pods: its 2 pods keep running, and then they are replaced";
    assert!(said(&shown).contains(words), "{}", shown.stdout);
    shop.up(&other, &[]).await.expect_code(0);
    let subdomains: Vec<String> = shop.pods().into_iter().map(|(_, _, name)| name).collect();
    assert_eq!(subdomains, ["other", "other"]);
}

#[tokio::test]
async fn what_was_created_without_its_owners_gets_them_from_the_next_run() {
    let shop = Shop::open().await;
    let other = with("serviceName", json!("other"));
    let refusal = Fault::Error {
        status: 500,
        reason: "InternalError",
        message: "etcd is away",
        retry_after: None,
    };
    // After the dry run and the creation comes the write that leaves the fields to their owners.
    let owners = Rule::new(refusal).method(Method::PATCH);
    let owners = owners
        .path("/statefulsets/web")
        .query("fieldManager=cryptoctl");
    shop.server.fault(owners.after(2));
    let cut = shop.up(&other, &["--yes"]).await.expect_code(1);
    assert!(!said(&cut).contains("not created again"), "{}", said(&cut));
    shop.server.heal();
    shop.up(&other, &[]).await.expect_code(0);
    let live = shop.live();
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    let makers = entries
        .iter()
        .filter(|it| it["manager"] == "cryptoctl-rollout");
    assert_eq!(makers.count(), 0, "{entries:?}");
    shop.with("diff", &other, &[]).await.expect_code(0);
    let subdomains: Vec<String> = shop.pods().into_iter().map(|(_, _, name)| name).collect();
    assert_eq!(subdomains, ["other", "other"]);
}
