//! Reviews of permissions.

use http::Method;
use serde_json::{Value, json};

use super::Call;
use crate::failure::Failure;
use crate::object::text;
use crate::state::State;

/// The answer to a review, if it is one.
pub(super) fn answer(state: &State, call: &Call, user: &str) -> Option<Result<Value, Failure>> {
    let review = call.path.strip_prefix("/apis/authorization.k8s.io/v1/")?;
    if call.method != Method::POST {
        return Some(Err(Failure::method_not_allowed()));
    }
    let mut object = match call.object() {
        Ok(object) => object,
        Err(failure) => return Some(Err(failure)),
    };
    match review {
        "selfsubjectaccessreviews" => {
            let attribute =
                |name: &str| text(&object, &format!("/spec/resourceAttributes/{name}")).to_owned();
            let [verb, group, resource] = ["verb", "group", "resource"].map(attribute);
            let allowed =
                state
                    .access
                    .allows(user, &verb, &group, &resource, &attribute("subresource"));
            object["status"] = json!({ "allowed": allowed });
        }
        "selfsubjectrulesreviews" => {
            object["status"] = json!({
                "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
                "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
                "incomplete": false,
            });
        }
        _ => return Some(Err(Failure::no_such_path())),
    }
    Some(Ok(object))
}
