//! `pods/eviction` (kubernetes, pkg/registry/core/pod/storage/eviction.go).

use http::StatusCode;
use serde_json::{Value, json};

use crate::apiserver::controllers::budget;
use crate::apiserver::failure::Failure;
use crate::apiserver::object;
use crate::apiserver::requests::{Call, Target, check_preconditions, delete_now};
use crate::apiserver::state::State;

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
    if counts {
        let budgets = budget::covering(state, &pod);
        if budgets.len() > 1 {
            let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
            return Err(Failure::internal(message));
        }
        for budget in budgets {
            let status = budget::status(state, &budget);
            if status.allowed == 0 && object::condition(&pod, "Ready") == "True" {
                return Err(refused(object::name(&budget), &status));
            }
        }
    }
    let dry_run =
        call.is_dry_run() || object::items(&options, "/dryRun").any(|value| value == "All");
    if !dry_run {
        delete_now(state, &target.kind, &target.key(), &options);
    }
    Ok(
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 }),
    )
}

fn refused(name: &str, status: &budget::Status) -> Failure {
    let message = format!(
        "The disruption budget {name} needs {} healthy pods and has {} currently",
        status.desired, status.healthy
    );
    let details = json!({ "causes": [{ "reason": "DisruptionBudget", "message": message }] });
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    Failure::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequests",
        message,
        details,
    )
}
