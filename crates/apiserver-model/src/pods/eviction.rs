//! `pods/eviction` (kubernetes, pkg/registry/core/pod/storage/eviction.go).

use http::StatusCode;
use serde_json::{Value, json};

use crate::controllers::budget;
use crate::failure::Failure;
use crate::object;
use crate::requests::{Call, Target, check_preconditions, delete_now};
use crate::state::State;
use crate::store::Key;

/// Deletes a pod if its disruption budget allows it.
pub(crate) fn evict(state: &mut State, call: &Call, target: &Target) -> Result<Value, Failure> {
    let eviction: Value = serde_json::from_slice(&call.body).map_err(|error| {
        Failure::bad_request(format!("the object provided is unrecognized: {error}"))
    })?;
    let options = eviction.get("deleteOptions").cloned().unwrap_or(json!({}));
    let pod = state.live(target)?;
    check_preconditions(&target.kind, &pod, &options)?;
    let phase = object::text(&pod, "/status/phase");
    let counts =
        !["Succeeded", "Failed", "Pending"].contains(&phase) && !object::is_terminating(&pod);
    let mut charged = None;
    if counts {
        let budgets = budget::covering(state, &pod);
        if budgets.len() > 1 {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Failure::internal(message));
        }
        for budget in budgets {
            let status = budget::seen(&budget)
                .ok_or_else(|| refused(&still_processed(&budget), Some(10)))?;
            let spare =
                unready_is_spare(&budget, &status) && object::condition(&pod, "Ready") != "True";
            if !spare && status.allowed == 0 {
                return Err(refused(&violated(&budget, &status), None));
            }
            charged = Some(budget).filter(|_| !spare);
        }
    }
    let dry_run =
        call.is_dry_run() || object::items(&options, "/dryRun").any(|value| value == "All");
    if !dry_run {
        if let Some(budget) = charged {
            charge(state, &budget, &target.name);
        }
        delete_now(state, &target.kind, &target.key(), &options);
    }
    Ok(
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
    )
}

/// Notes an eviction in the budget's status at once, so that the next one is measured by it before the controller looks.
fn charge(state: &mut State, budget: &Value, pod: &str) {
    let key = Key::of(
        "policy",
        "poddisruptionbudgets",
        object::namespace(budget),
        object::name(budget),
    );
    let now = state.now.text();
    state.change_status(&key, "kube-apiserver", |budget| {
        let allowed = object::number(budget, "/status/disruptionsAllowed").unwrap_or(0);
        object::set(budget, "/status/disruptionsAllowed", allowed - 1);
        object::set(budget, &format!("/status/disruptedPods/{pod}"), now);
    });
}

/// `unhealthyPodEvictionPolicy`: whether a pod that is not Ready may go whatever the budget allows.
fn unready_is_spare(budget: &Value, status: &budget::Status) -> bool {
    object::text(budget, "/spec/unhealthyPodEvictionPolicy") == "AlwaysAllow"
        || status.desired > 0 && status.healthy >= status.desired
}

fn still_processed(budget: &Value) -> String {
    let name = object::name(budget);
    format!("The disruption budget {name} is still being processed by the server.")
}

fn violated(budget: &Value, status: &budget::Status) -> String {
    format!(
        "The disruption budget {} needs {} healthy pods and has {} currently",
        object::name(budget),
        status.desired,
        status.healthy
    )
}

/// `NewTooManyRequests` with the budget as its cause.
fn refused(cause: &str, retry_after: Option<u64>) -> Failure {
    let mut details = json!({ "causes": [{ "reason": "DisruptionBudget", "message": cause }] });
    if let Some(seconds) = retry_after {
        details["retryAfterSeconds"] = seconds.into();
    }
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequests",
        message,
        details,
    )
}
