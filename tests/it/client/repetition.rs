//! Which requests are repeated, which are not, and after how long.

use std::time::Duration;

use cryptoctl::cluster::{ApplyMode, ClusterError, Deletion, Eviction, Grace, ResourceKind};
use http::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::script::{Reply, Scripted, pod, refusal};

async fn read(scripted: &Scripted) -> Result<Option<Value>, ClusterError> {
    scripted
        .cluster
        .get(&ResourceKind::pod(), Some("default"), "web-0")
        .await
}

async fn delete(scripted: &Scripted) -> Result<Deletion, ClusterError> {
    scripted
        .cluster
        .delete_pod("default", "web-0", "uid-1", "7", Grace::OfThePod)
        .await
}

fn absent() -> Reply {
    let mut body = refusal(404, "NotFound");
    body["details"] = json!({"name": "web-0", "kind": "pods"});
    Reply::json(404, &body)
}

fn found() -> Reply {
    Reply::json(200, &pod("web-0", "uid-1", 1))
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_until_the_server_is_back() {
    let failures: [fn() -> Reply; 7] = [
        || Reply::Lost,
        || Reply::refusal(429, "TooManyRequests"),
        || Reply::refusal(500, "InternalError"),
        || Reply::refusal(502, "BadGateway"),
        || Reply::refusal(503, "ServiceUnavailable"),
        || Reply::refusal(504, "Timeout"),
        || Reply::Silence,
    ];
    for failure in failures {
        let scripted = Scripted::in_turn(vec![found, failure, failure, found]);
        read(&scripted).await.unwrap();
        assert!(read(&scripted).await.unwrap().is_some());
        assert_eq!(scripted.count(&Method::GET), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_refusal_is_not_repeated() {
    for status in [400, 401, 403, 405, 409, 410, 422] {
        let scripted = Scripted::new(move |_| Reply::refusal(status, "Refused"));
        read(&scripted).await.unwrap_err();
        assert_eq!(scripted.seen().len(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_end_with_the_patience() {
    let scripted = Scripted::in_turn(vec![found, || Reply::refusal(503, "ServiceUnavailable")]);
    read(&scripted).await.unwrap();
    let started = Instant::now();
    read(&scripted).await.unwrap_err();
    let seen = scripted.seen();
    let pauses: Vec<Duration> = seen[1..]
        .windows(2)
        .map(|pair| pair[1].at.saturating_sub(pair[0].at))
        .collect();
    assert!(pauses[0] <= Duration::from_millis(101), "{pauses:?}");
    assert!(
        pauses
            .iter()
            .all(|pause| *pause <= Duration::from_millis(3001))
    );
    assert!(started.elapsed() <= Duration::from_mins(2));
    assert!(started.elapsed() >= Duration::from_secs(110));
    // Between half of three seconds and all of it, once they have grown.
    assert!((40..=100).contains(&seen.len()), "{}", seen.len());
}

#[tokio::test(start_paused = true)]
async fn the_servers_own_time_to_come_back_counts() {
    let scripted = Scripted::in_turn(vec![|| Reply::retry_after(429, 7), found]);
    read(&scripted).await.unwrap();
    assert!(scripted.seen()[1].at >= Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn a_time_beyond_the_patience_is_not_waited_for() {
    let scripted = Scripted::new(|_| Reply::retry_after(429, 3600));
    let error = read(&scripted).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::Refused { code: 429, .. }),
        "{error:?}"
    );
    assert_eq!(scripted.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_address_is_reported_within_seconds() {
    let scripted = Scripted::new(|_| Reply::Lost);
    let started = Instant::now();
    read(&scripted).await.unwrap_err();
    assert!(started.elapsed() <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_was_refused_before_execution_is_repeated_for_the_same_pod() {
    let scripted = Scripted::in_turn(vec![
        || Reply::retry_after(429, 1),
        || Reply::retry_after(503, 1),
        found,
    ]);
    assert_eq!(delete(&scripted).await.unwrap(), Deletion::Accepted);
    let seen = scripted.seen();
    assert_eq!(seen.len(), 3);
    for request in seen {
        assert_eq!(request.method, Method::DELETE);
        assert_eq!(request.body["preconditions"]["uid"], "uid-1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_whose_answer_was_lost_is_read_never_sent_again() {
    let losses: [fn() -> Reply; 4] = [
        || Reply::Lost,
        || Reply::Silence,
        || Reply::refusal(503, "ServiceUnavailable"),
        || Reply::refusal(504, "Timeout"),
    ];
    for loss in losses {
        let gone = Scripted::in_turn(vec![loss, absent]);
        assert_eq!(delete(&gone).await.unwrap(), Deletion::Accepted);
        assert_eq!(gone.count(&Method::DELETE), 1);

        let untouched = Scripted::in_turn(vec![loss, found]);
        delete(&untouched).await.unwrap_err();
        assert_eq!(untouched.count(&Method::DELETE), 1);

        let successor =
            Scripted::in_turn(vec![loss, || Reply::json(200, &pod("web-0", "uid-2", 2))]);
        assert_eq!(delete(&successor).await.unwrap(), Deletion::Accepted);
        assert_eq!(successor.count(&Method::DELETE), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delete_of_a_replaced_pod_hits_nobody() {
    let scripted = Scripted::new(|_| Reply::refusal(409, "Conflict"));
    assert_eq!(delete(&scripted).await.unwrap(), Deletion::AlreadyGone);
    assert_eq!(scripted.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_not_repeated() {
    let scripted = Scripted::new(|_| Reply::Lost);
    let kind = ResourceKind::namespace();
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}});
    let error = scripted
        .cluster
        .create(&kind, None, &object)
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClusterError::AnswerLost { .. }),
        "{error:?}"
    );
    assert_eq!(scripted.count(&Method::POST), 1);
}

#[tokio::test(start_paused = true)]
async fn an_apply_states_the_same_again() {
    let scripted = Scripted::in_turn(vec![found, || Reply::Lost, found]);
    read(&scripted).await.unwrap();
    let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"}});
    let kind = ResourceKind::pod();
    let applied = scripted
        .cluster
        .apply(&kind, Some("default"), "web-0", &object, ApplyMode::Store)
        .await;
    assert!(applied.is_ok());
    let seen = scripted.seen();
    assert_eq!(scripted.count(&Method::PATCH), 2);
    assert_eq!(seen[1].query, seen[2].query);
    assert!(!seen[1].query.contains("force"), "{}", seen[1].query);
}

fn budget_forbids() -> Reply {
    let mut body = refusal(429, "TooManyRequests");
    body["details"] = json!({"causes": [{
        "reason": "DisruptionBudget",
        "message": "The disruption budget web needs 2 healthy pods and has 2 currently",
    }]});
    // The API server adds this header to every 429, a budget's too.
    Reply::Whole(
        429,
        vec![("retry-after", "10".to_owned())],
        body.to_string().into_bytes(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_budgets_refusal_is_an_answer_and_costs_no_time() {
    let scripted = Scripted::new(|_| budget_forbids());
    let started = Instant::now();
    let evicted = scripted
        .cluster
        .evict("default", "web-0", "uid-1", "7")
        .await;
    let Ok(Eviction::Forbidden(words)) = evicted else {
        panic!("{evicted:?}");
    };
    assert!(words.contains("disruption budget web"), "{words}");
    assert_eq!(scripted.seen().len(), 1);
    assert_eq!(started.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_eviction_refused_by_flow_control_is_repeated_for_the_same_pod() {
    let scripted = Scripted::in_turn(vec![|| Reply::retry_after(429, 2), || {
        Reply::json(201, &json!({"kind": "Status", "status": "Success"}))
    }]);
    let evicted = scripted
        .cluster
        .evict("default", "web-0", "uid-1", "7")
        .await;
    assert_eq!(evicted.unwrap(), Eviction::Accepted);
    let seen = scripted.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert_eq!(
            request.path,
            "/api/v1/namespaces/default/pods/web-0/eviction"
        );
        assert_eq!(
            request.body["deleteOptions"]["preconditions"]["uid"],
            "uid-1"
        );
    }
    assert!(seen[1].at >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn an_eviction_whose_answer_was_lost_is_read_never_sent_again() {
    let scripted = Scripted::in_turn(vec![|| Reply::Lost, found]);
    let evicted = scripted
        .cluster
        .evict("default", "web-0", "uid-1", "7")
        .await;
    evicted.unwrap_err();
    assert_eq!(scripted.count(&Method::POST), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_never_quoted() {
    let scripted = Scripted::new(|_| Reply::Whole(200, Vec::new(), b"{\"data\": hunter2".to_vec()));
    let error = read(&scripted).await.unwrap_err();
    let chain = format!("{error} {error:?}");
    assert!(!chain.contains("hunter2"), "{chain}");
    assert!(matches!(error, ClusterError::Undecodable { .. }));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_read_again_a_few_times() {
    let wrong: [fn() -> Reply; 4] = [
        || Reply::Whole(200, Vec::new(), b"<html>".to_vec()),
        || Reply::json(200, &json!({"kind": "Status", "status": "Success"})),
        || Reply::json(200, &pod("web-1", "uid-9", 1)),
        || Reply::Whole(200, Vec::new(), b"{\"kind\": \"Pod\", \"meta".to_vec()),
    ];
    for wrong in wrong {
        let mended = Scripted::in_turn(vec![wrong, found]);
        assert!(read(&mended).await.unwrap().is_some());
        let lasting = Scripted::in_turn(vec![wrong]);
        let error = read(&lasting).await.unwrap_err();
        assert!(
            matches!(error, ClusterError::Undecodable { .. }),
            "{error:?}"
        );
        assert_eq!(lasting.seen().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_not_found_is_no_absent_object() {
    let scripted = Scripted::new(|_| Reply::Whole(404, Vec::new(), b"<html>".to_vec()));
    read(&scripted).await.unwrap_err();
    delete(&scripted).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_may_have_been_executed_is_read_back() {
    let unknown: [fn() -> Reply; 5] = [
        || Reply::refusal(500, "InternalError"),
        || Reply::Whole(200, Vec::new(), b"<html>".to_vec()),
        || Reply::json(200, &refusal(500, "InternalError")),
        || Reply::json(200, &json!({})),
        || Reply::Whole(302, vec![("location", "/login".to_owned())], Vec::new()),
    ];
    for unknown in unknown {
        let gone = Scripted::in_turn(vec![unknown, absent]);
        assert_eq!(delete(&gone).await.unwrap(), Deletion::Accepted);
        assert_eq!(gone.count(&Method::DELETE), 1);
        let untouched = Scripted::in_turn(vec![unknown, found]);
        let error = delete(&untouched).await.unwrap_err();
        assert!(error.outcome_is_unknown(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_read_back_is_soon_unknown() {
    let failures: [fn() -> Reply; 3] = [
        || Reply::refusal(403, "Forbidden"),
        || Reply::refusal(401, "Unauthorized"),
        || Reply::Silence,
    ];
    for failure in failures {
        let scripted = Scripted::in_turn(vec![found, || Reply::Lost, failure]);
        read(&scripted).await.unwrap();
        let started = Instant::now();
        let error = delete(&scripted).await.unwrap_err();
        assert!(error.outcome_is_unknown(), "{error:?}");
        assert!(started.elapsed() <= Duration::from_secs(10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_zero_causes_no_storm() {
    let scripted = Scripted::new(|request| match request.at.as_secs() {
        0..60 => Reply::retry_after(429, 0),
        _ => found(),
    });
    assert_eq!(delete(&scripted).await.unwrap(), Deletion::Accepted);
    assert!(scripted.seen().len() < 60, "{}", scripted.seen().len());
}

#[tokio::test(start_paused = true)]
async fn an_endless_retry_after_only_ends_the_wait() {
    let scripted = Scripted::in_turn(vec![|| Reply::retry_after(429, 2), || {
        Reply::retry_after(429, u64::MAX)
    }]);
    let error = read(&scripted).await.unwrap_err();
    assert!(
        matches!(error, ClusterError::Refused { code: 429, .. }),
        "{error:?}"
    );
}
