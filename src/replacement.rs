//! What becomes of an object that the API server does not let change: a new one takes its place, or nothing
//! does. Pure.
//!
//! The pods of a StatefulSet outlive it if it is deleted with orphan propagation, and the controller gives
//! pods without a controller to a new set whose selector they match (`pkg/controller/controller_ref_manager.go`,
//! `ClaimPods`).

mod adoption;
mod growth;

pub use self::adoption::{
    Adoption, Because, Roll, RolledBy, adopted, ordinal, ordinal_of, ordinals,
};
pub use self::growth::{Growth, Request, growing, growths};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::figures::count;
use crate::object::{ObjectRef, is_built_in_group};

/// The annotation of a pod template that makes pods roll: it says under which Service they have their names.
/// A pod keeps its `subdomain` for life (`pkg/controller/statefulset/stateful_set_utils.go`, `updateIdentity`).
pub const SERVICE_NAME: &str = "cryptoctl/service-name";

/// The fields of a StatefulSet that a new object alone can have otherwise
/// (`pkg/apis/apps/validation/validation.go`, `ValidateStatefulSetUpdate`).
const FIXED: [&str; 4] = [
    "podManagementPolicy",
    "selector",
    "serviceName",
    "volumeClaimTemplates",
];

/// The field of those that is about claims.
const CLAIM_TEMPLATES: &str = ".spec.volumeClaimTemplates";

/// An object that is deleted and created again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    /// The fields that cannot be changed.
    pub fields: Vec<String>,
    /// Whether its pods are deleted with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deletes_pods: bool,
    /// The claims that grow before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub growths: Vec<Growth>,
}

/// Why an object cannot be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// The pods of a StatefulSet would not match its new selector.
    Selector,
    /// The claims of a StatefulSet are made from other templates.
    ClaimTemplates,
    /// Data, or objects of others, would go with it.
    Data,
}

impl Fixed {
    /// The reason as a clause.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Selector => {
                "its pods would not match the new selector: nobody would look after them, and they would keep the names of the new ones"
            }
            Self::ClaimTemplates => {
                "claims that exist would stay as they are: other templates need new volumes"
            }
            Self::Data => {
                "if the object were deleted, its data and what belongs to it could go with it"
            }
        }
    }
}

/// Whether an object holds data, or objects of others, that go with it: it is never replaced.
#[must_use]
pub fn holds_data(object: &ObjectRef) -> bool {
    let is_core = object.group.is_empty()
        && matches!(
            object.kind.as_str(),
            "Namespace" | "PersistentVolume" | "PersistentVolumeClaim"
        );
    // What a custom resource stands for, only its operator knows.
    is_core
        || object.is("apiextensions.k8s.io", "CustomResourceDefinition")
        || !is_built_in_group(&object.group)
}

/// The fields of a live StatefulSet that only a new one can have as planned.
#[must_use]
pub fn fixed_fields(live: &Value, planned: &Value) -> Vec<String> {
    let differs = |name: &&str| {
        let of = |object: &Value| without_status(object["spec"][*name].clone());
        of(live) != of(planned)
    };
    let fields = FIXED.into_iter().filter(differs);
    fields.map(|name| format!(".spec.{name}")).collect()
}

/// Whether a StatefulSet is planned with other claim templates.
#[must_use]
pub fn has_other_templates(live: &Value, planned: &Value) -> bool {
    let fields = fixed_fields(live, planned);
    fields.iter().any(|field| field == CLAIM_TEMPLATES)
}

/// Claim templates have a status that nothing reads.
fn without_status(mut field: Value) -> Value {
    for template in field.as_array_mut().into_iter().flatten() {
        if let Some(template) = template.as_object_mut() {
            template.shift_remove("status");
        }
    }
    field
}

/// Whether a StatefulSet can be replaced; `are_matched` says whether all its pods match the new selector, and
/// `growths` which claims grow if that is all that changes about them.
///
/// # Errors
/// Why not.
pub fn of_stateful_set(
    fields: Vec<String>,
    are_matched: bool,
    growths: Option<Vec<Growth>>,
) -> Result<Replacement, Fixed> {
    let mut names = fields.iter();
    if growths.is_none() && names.any(|field| field == CLAIM_TEMPLATES) {
        return Err(Fixed::ClaimTemplates);
    }
    if !are_matched {
        return Err(Fixed::Selector);
    }
    Ok(Replacement {
        fields,
        deletes_pods: false,
        growths: growths.unwrap_or_default(),
    })
}

/// Makes the pods of a StatefulSet roll, or keeps those from rolling that were made with the same mark.
pub fn mark(stateful_set: &mut Value) {
    let service = stateful_set["spec"]["serviceName"].clone();
    let annotations = &mut stateful_set["spec"]["template"]["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[SERVICE_NAME] = service;
}

/// What happens to an object that is replaced or that takes over pods, after its name; `None` if neither.
#[must_use]
pub fn words(replacement: Option<&Replacement>, adoption: Option<&Adoption>) -> Option<String> {
    let Some(Replacement {
        fields,
        deletes_pods,
        growths,
    }) = replacement
    else {
        let adoption = adoption?;
        return Some(if adoption.rolls.is_some() || adoption.pods == 0 {
            format!(" takes over pods: {}", adoption.clause())
        } else {
            // The template that they were made from is gone with the object.
            let pods = count(adoption.pods, "pod");
            format!(" takes over {pods}: what was made from another template is replaced")
        });
    };
    let pods = adoption.map(Adoption::clause);
    let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
    let pods = pods.or_else(|| deletes_pods.then(|| "its pods are deleted first".to_owned()));
    let claims = growths.first().map(|growth| {
        let verb = if growths.len() == 1 { "asks" } else { "ask" };
        let is_same = growths.iter().all(|other| other.storage == growth.storage);
        let storage = if is_same {
            growth.storage.as_str()
        } else {
            "more"
        };
        format!("{} {verb} for {storage}", count(growths.len(), "claim"))
    });
    let effects: Vec<String> = claims.into_iter().chain(pods).collect();
    let effects = match effects.as_slice() {
        [] => String::new(),
        effects => format!(": {}", effects.join("; ")),
    };
    Some(format!(
        " is deleted and created again, because {} cannot be changed{effects}",
        fields.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_new_set_can_have_is_found() {
        let set = |spec: Value| json!({"spec": spec});
        let template =
            |phase: &str| json!([{"metadata": {"name": "data"}, "status": {"phase": phase}}]);
        let live =
            set(json!({"serviceName": "a", "replicas": 1, "volumeClaimTemplates": template("")}));
        let same =
            json!({"serviceName": "a", "replicas": 2, "volumeClaimTemplates": template("Pending")});
        assert!(fixed_fields(&live, &set(same)).is_empty());
        let other = json!({"serviceName": "b", "podManagementPolicy": "Parallel",
            "volumeClaimTemplates": template("")});
        let fields = fixed_fields(&live, &set(other));
        assert_eq!(fields, [".spec.podManagementPolicy", ".spec.serviceName"]);
    }

    #[test]
    fn pods_and_volumes_decide_whether_a_set_can_be_replaced() {
        let of =
            |field: &str, are_matched| of_stateful_set(vec![field.to_owned()], are_matched, None);
        assert!(of(".spec.serviceName", true).is_ok());
        assert!(
            of(".spec.selector", true).is_ok(),
            "the pods have the labels"
        );
        assert_eq!(of(".spec.selector", false), Err(Fixed::Selector));
        let templates = of(".spec.volumeClaimTemplates", true);
        assert_eq!(templates, Err(Fixed::ClaimTemplates));
        let growth = Growth {
            claim: "data-web-0".to_owned(),
            from: "1Gi".to_owned(),
            storage: "2Gi".to_owned(),
        };
        let templates = vec![".spec.volumeClaimTemplates".to_owned()];
        let grown = of_stateful_set(templates, true, Some(vec![growth])).unwrap();
        let said = words(Some(&grown), None).unwrap();
        assert!(
            said.ends_with("cannot be changed: 1 claim asks for 2Gi"),
            "{said}"
        );
    }

    #[test]
    fn what_is_replaced_says_why_and_what_becomes_of_pods() {
        let adoption = Adoption {
            pods: 2,
            removed: 0,
            rolls: Some(Roll {
                by: RolledBy::Controller,
                because: Because::DnsName,
            }),
        };
        let replacement =
            of_stateful_set(vec![".spec.serviceName".to_owned()], true, None).unwrap();
        assert_eq!(
            words(Some(&replacement), Some(&adoption)).unwrap(),
            " is deleted and created again, because `.spec.serviceName` cannot be changed: its 2 pods keep \
             running, and then they are replaced one after the other, because their DNS names change"
        );
        let service = Replacement {
            fields: vec![".spec.clusterIPs[0]".to_owned()],
            deletes_pods: false,
            growths: Vec::new(),
        };
        let said = words(Some(&service), None).unwrap();
        assert!(said.ends_with("because `.spec.clusterIPs[0]` cannot be changed"));
        let adoption = Adoption {
            rolls: None,
            ..adoption
        };
        let said = words(None, Some(&adoption)).unwrap();
        assert_eq!(
            said,
            " takes over 2 pods: what was made from another template is replaced"
        );
    }
}
