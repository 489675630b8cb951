//! Claims that grow with the template that they were made from. The controller of a StatefulSet never
//! changes a claim that exists.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ordinal, without_status};
use crate::quantity::milli;

/// A claim that gets more storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// The claim.
    pub claim: String,
    /// How much it asks for now.
    pub from: String,
    /// How much it asks for then.
    pub storage: String,
}

/// A claim template and the storage that its claims ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    template: String,
    storage: String,
}

/// What the claim templates of a StatefulSet ask for, if all that changes is that some ask for more;
/// `None` otherwise.
#[must_use]
pub fn growing(live: &Value, planned: &Value) -> Option<Vec<Request>> {
    let of = |object: &Value| without_status(object["spec"]["volumeClaimTemplates"].clone());
    let (live, planned) = (of(live), of(planned));
    let (live, planned) = (live.as_array()?, planned.as_array()?);
    let pairs = live.iter().zip(planned);
    let requests: Option<Vec<Request>> = pairs
        .map(|(before, after)| {
            let grows = size(after)? >= size(before)?;
            let mut same = after.clone();
            same["spec"]["resources"]["requests"]["storage"] = storage(before).clone();
            (grows && same == *before).then(|| Request {
                template: text(&after["metadata"]["name"]),
                storage: text(storage(after)),
            })
        })
        .collect();
    requests.filter(|_| live.len() == planned.len())
}

/// The claims of a StatefulSet that ask for less than their template.
#[must_use]
pub fn growths(requests: &[Request], stateful_set: &str, claims: &[Value]) -> Vec<Growth> {
    let of = |claim: &Value| {
        let name = claim["metadata"]["name"].as_str()?;
        let is_of = |request: &&Request| {
            let start = format!("{}-{stateful_set}", request.template);
            ordinal(name, &start).is_some()
        };
        let request = requests.iter().find(is_of)?;
        let is_less = size(claim)? < milli(&request.storage)?;
        is_less.then(|| Growth {
            claim: name.to_owned(),
            from: text(storage(claim)),
            storage: request.storage.clone(),
        })
    };
    claims.iter().filter_map(of).collect()
}

fn storage(claim: &Value) -> &Value {
    &claim["spec"]["resources"]["requests"]["storage"]
}

fn size(claim: &Value) -> Option<i128> {
    milli(storage(claim).as_str()?)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(name: &str, storage: &str, class: &str) -> Value {
        json!({
            "metadata": {"name": name},
            "spec": {"storageClassName": class, "resources": {"requests": {"storage": storage}}},
            "status": {"phase": "Pending"},
        })
    }

    fn set(templates: &[Value]) -> Value {
        json!({"spec": {"volumeClaimTemplates": templates}})
    }

    #[test]
    fn only_templates_that_ask_for_more_grow() {
        let live = set(&[claim("data", "1Gi", "fast"), claim("log", "1Gi", "fast")]);
        let of = |data: Value, log: Value| growing(&live, &set(&[data, log]));
        let same = || claim("log", "1Gi", "fast");
        assert!(of(claim("data", "2Gi", "fast"), same()).is_some());
        assert!(of(claim("data", "1024Mi", "fast"), same()).is_some());
        assert!(of(claim("data", "500Mi", "fast"), same()).is_none(), "less");
        assert!(
            of(claim("data", "2Gi", "slow"), same()).is_none(),
            "a class"
        );
        assert!(
            of(claim("other", "1Gi", "fast"), same()).is_none(),
            "a name"
        );
        assert!(growing(&live, &set(&[same()])).is_none(), "a template less");
    }

    #[test]
    fn claims_that_ask_for_less_than_their_template_grow() {
        let live = set(&[claim("data", "1Gi", "fast")]);
        let requests = growing(&live, &set(&[claim("data", "2Gi", "fast")])).unwrap();
        let claims = [
            claim("data-web-0", "1Gi", "fast"),
            claim("data-web-1", "3Gi", "fast"),
            claim("data-webber-0", "1Gi", "fast"),
            claim("data-web-x", "1Gi", "fast"),
        ];
        let expected = Growth {
            claim: "data-web-0".to_owned(),
            from: "1Gi".to_owned(),
            storage: "2Gi".to_owned(),
        };
        assert_eq!(growths(&requests, "web", &claims), [expected]);
    }
}
