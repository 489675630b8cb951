//! What to do next: commands that work when pasted, or sentences if no command fits.

use std::collections::BTreeSet;

use super::field_hint::conflict_hints;
use super::take_over_hint;
use crate::cluster::{ClusterError, Denial};
use crate::fields::EXPERIMENT_MANAGER;
use crate::object::{ObjectName, ObjectRef};
use crate::ops::{Problem, Workload};
use crate::replacement::Fixed;
use crate::risk::RiskKind;
use crate::shell::word;

/// What to do about a failed request, perhaps one about an object.
pub(super) fn hints(error: &ClusterError, object: Option<&ObjectRef>) -> Vec<String> {
    let hint = match error {
        ClusterError::Configuration { hint, .. } | ClusterError::Credentials { hint, .. } => {
            hint.clone()
        }
        ClusterError::Unreachable { .. } | ClusterError::Timeout { .. } => {
            "check that the cluster is running and that you use the right kubeconfig and context: `kubectl config view --minify`".to_owned()
        }
        ClusterError::Certificate { .. } => {
            "check `certificate-authority` and `server` in the kubeconfig: `kubectl config view --minify`".to_owned()
        }
        ClusterError::Unauthorized { .. } => {
            "log in again, or choose another context with `--context`".to_owned()
        }
        ClusterError::Forbidden { denial, .. } => return denied(*denial, object),
        ClusterError::OwnedByOthers { .. } => owner_hint(object),
        // The answer names no object: the path itself does not exist.
        ClusterError::NotFound { name, .. } if name.is_empty() => wrong_server(),
        ClusterError::Undecodable { .. } | ClusterError::Refused { code: 404, .. } => wrong_server(),
        ClusterError::Refused {
            code: 422, fields, ..
        } => return invalid(fields),
        ClusterError::Conflict { .. } if object.is_some() => {
            "the object has changed since it was read: repeat the command".to_owned()
        }
        ClusterError::AnswerLost { .. } => {
            "run `cryptoctl diff` with the same flags to see what was stored, then repeat the command".to_owned()
        }
        _ => return Vec::new(),
    };
    vec![hint]
}

fn wrong_server() -> String {
    "check that `server` in the kubeconfig is the full URL of an API server, including its path: `kubectl config view --minify`".to_owned()
}

fn denied(denial: Denial, object: Option<&ObjectRef>) -> Vec<String> {
    let on = object.map(on).unwrap_or_default();
    let namespace = object.and_then(|object| object.namespace.as_deref());
    match (denial, namespace) {
        (Denial::Permission, _) => {
            vec!["ask your administrator for the permission, or use a context that has it with `--context`".to_owned()]
        }
        (Denial::Quota, _) => vec![format!(
            "see what the quota still allows with `kubectl describe resourcequota{on}`"
        )],
        (Denial::PodSecurity, Some(namespace)) => vec![format!(
            "see what the namespace requires with `kubectl get namespace {namespace} --show-labels`"
        )],
        (Denial::NamespaceTerminating, Some(namespace)) => vec![format!(
            "wait until it is gone: `kubectl wait --for=delete namespace/{namespace} --timeout=5m`"
        )],
        _ => Vec::new(),
    }
}

/// An object that the API server does not accept.
fn invalid(fields: &[String]) -> Vec<String> {
    let own: Vec<String> = fields
        .iter()
        .filter(|field| {
            let name = field.strip_prefix("metadata.").unwrap_or_default();
            matches!(
                name,
                "uid" | "resourceVersion" | "generation" | "creationTimestamp" | "selfLink"
            )
        })
        .map(|field| format!("`{field}`"))
        .collect();
    if !own.is_empty() {
        return vec![format!(
            "leave {} out of the manifest: only the API server sets it",
            own.join(", ")
        )];
    }
    Vec::new()
}

/// What to do about an object that cannot be changed and that no new one can take the place of.
fn fixed(object: &ObjectRef, reason: Fixed, keeps_claims: bool) -> String {
    let on = on(object);
    match reason {
        Fixed::Selector if keeps_claims => format!(
            "keep the live selector; or, if the replicas may be away for a while, delete them all with `kubectl delete {object}{on}`, and repeat the command: the claims stay"
        ),
        Fixed::Selector => "keep the live selector: with the live retention policy, the claims would be deleted together with the object".to_owned(),
        Fixed::ClaimTemplates => format!(
            "keep the live templates, which `kubectl get {object}{on} -o jsonpath='{{.spec.volumeClaimTemplates}}'` shows; for other volumes, deploy under another name and copy the data"
        ),
        Fixed::Data => format!(
            "copy the live values into the manifest: `kubectl get {object}{on} -o yaml`"
        ),
    }
}

fn owner_hint(object: Option<&ObjectRef>) -> String {
    let shown = object.map(|object| {
        format!(
            "; `kubectl get {object}{} -o yaml --show-managed-fields` shows the owner of each field",
            on(object)
        )
    });
    format!(
        "another manager has written since the dry run: repeat the command to see the conflict{}",
        shown.unwrap_or_default()
    )
}

/// The namespace of an object, as a flag of kubectl and of this tool.
pub(super) fn on(object: &ObjectRef) -> String {
    let namespace = object.namespace.as_ref();
    namespace
        .map(|name| format!(" -n {name}"))
        .unwrap_or_default()
}

/// What to do about problems found before the first write.
pub(super) fn problem_hints(problems: &[Problem]) -> Vec<String> {
    let hints = problems.iter().flat_map(|problem| match problem {
        Problem::KindNotServed { .. } => vec![
            "install the definition of the kind first, or correct `apiVersion`; `kubectl api-resources` lists the existing kinds".to_owned(),
        ],
        Problem::StorageClassMissing { is_of_claim: false, .. } => vec![
            "name an existing class in the manifest: `kubectl get storageclass` lists them".to_owned(),
        ],
        Problem::StorageClassMissing { available, .. } => {
            let best = available.iter().find(|(_, is_default)| *is_default).or(available.first());
            best.map(|(name, _)| format!("use an existing class with `--storage-class {name}`"))
                .into_iter()
                .collect()
        }
        Problem::NeverReady { hint, .. } => hint.iter().cloned().collect(),
        Problem::Risk(risk) if risk.kind == RiskKind::ForeignPods => Vec::new(),
        Problem::Risk(risk) => vec![risk.remedy.clone()],
        Problem::ForeignInventory { .. } => {
            vec!["name another inventory with `--inventory`, or the namespace that it is in with `--namespace`".to_owned()]
        }
        Problem::NotAllowed { .. } => denied(Denial::Permission, None),
        Problem::OwnedByOthers { object, conflicts }
            if conflicts
                .iter()
                .any(|field| field.owner.manager == EXPERIMENT_MANAGER) =>
        {
            vec![format!(
                "an experiment left this behind; undo it with `{}`",
                Workload::from_reference(object).restore_command()
            )]
        }
        // All of them go into one command.
        Problem::OwnedByOthers { .. } | Problem::MustBeReplaced { .. } => Vec::new(),
        Problem::Fixed { object, reason, keeps_claims, .. } => {
            vec![fixed(object, *reason, *keeps_claims)]
        }
        Problem::OwnedAlone { alone, .. } => vec![format!(
            "leave out `--yield {}`, or wait until another manager owns the field",
            word(&alone.pattern.to_string())
        )],
        Problem::NoSuchField { .. } => vec![
            "`cryptoctl diff` lists the objects of the set; a kind of another API group is named with its group".to_owned(),
        ],
        Problem::BeingDeleted { object, .. } => vec![format!(
            "repeat the command once it is gone: `kubectl wait --for=delete {object}{}`",
            on(object)
        )],
        Problem::ServerField { field, .. } => vec![format!(
            "delete `{}` from the file: it was exported with the object",
            field.path()
        )],
        Problem::Refused { object, source } => hints(source, Some(object)),
    });
    let conflicts = problems.iter().filter_map(|problem| match problem {
        Problem::OwnedByOthers { object, conflicts } => Some((object, conflicts.as_slice())),
        _ => None,
    });
    let take_over = take_over_hint::of_conflicts(conflicts.clone());
    let hints = hints
        .chain(replacement(problems))
        .chain(acceptance(problems));
    let hints = hints.chain(conflict_hints(conflicts)).chain(take_over);
    deduplicated(hints.collect())
}

/// The command that puts the objects of the set in the place of all that are in their way.
fn replacement(problems: &[Problem]) -> Option<String> {
    let objects = problems.iter().filter_map(|problem| match problem {
        Problem::MustBeReplaced { object, .. } => Some(object),
        Problem::Risk(risk) if risk.kind == RiskKind::ForeignPods => Some(&risk.object),
        _ => None,
    });
    let names: BTreeSet<String> = objects.map(|it| ObjectName::of(it).to_string()).collect();
    let flags: Vec<String> = names
        .iter()
        .map(|name| format!("--replace {name}"))
        .collect();
    let (them, their) = match names.len() {
        1 => ("it", "its"),
        _ => ("them", "their"),
    };
    let flags = flags.join(" ");
    (!names.is_empty()).then(|| {
        format!(
            "if you can do without {them}, let the set take {their} place with `cryptoctl up {flags}`"
        )
    })
}

/// The command that goes on despite all risks.
fn acceptance(problems: &[Problem]) -> Option<String> {
    let kind = |problem: &Problem| match problem {
        Problem::Risk(risk) => Some(risk.kind),
        _ => None,
    };
    // Beside any other problem, it would not go on.
    let kinds: Option<BTreeSet<RiskKind>> = problems.iter().map(kind).collect();
    let kinds = kinds.unwrap_or_default();
    let flags: Vec<String> = kinds.iter().map(|kind| format!("--allow {kind}")).collect();
    (!flags.is_empty()).then(|| format!("to go on anyway, run `cryptoctl up {}`", flags.join(" ")))
}

pub(super) fn deduplicated(hints: Vec<String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for hint in hints {
        if !unique.contains(&hint) {
            unique.push(hint);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replacement::Replacement;
    use crate::risk::Risk;

    fn web() -> ObjectRef {
        ObjectRef::new("apps", "StatefulSet", Some("shop"), "web")
    }

    fn of(denial: Denial) -> String {
        let error = ClusterError::Forbidden {
            message: String::new(),
            denial,
        };
        hints(&error, Some(&web())).join("\n")
    }

    #[test]
    fn only_a_missing_permission_is_to_be_asked_for() {
        assert!(of(Denial::Permission).contains("for the permission"));
        assert!(of(Denial::Quota).contains("`kubectl describe resourcequota -n shop`"));
        assert!(of(Denial::PodSecurity).contains("`kubectl get namespace shop --show-labels`"));
        assert!(of(Denial::NamespaceTerminating).contains("namespace/shop"));
        assert_eq!(of(Denial::Admission), "");
    }

    #[test]
    fn a_flag_is_hinted_at_only_where_it_works() {
        let class = |is_of_claim| {
            let problem = Problem::StorageClassMissing {
                object: web(),
                class: "nope".to_owned(),
                available: vec![("fast".to_owned(), true)],
                is_of_claim,
            };
            problem_hints(&[problem]).join("\n")
        };
        assert!(class(true).contains("--storage-class fast"));
        assert!(!class(false).contains("--storage-class"));
    }

    #[test]
    fn what_the_api_server_sets_is_to_be_left_out_of_the_manifest() {
        let refused = |message: &str, fields: &[&str], object: &ObjectRef| {
            let error = ClusterError::Refused {
                code: 422,
                reason: "Invalid".to_owned(),
                message: message.to_owned(),
                fields: fields.iter().map(|&field| field.to_owned()).collect(),
                retry_after: None,
            };
            hints(&error, Some(object)).join("\n")
        };
        let uid = refused("field is immutable", &["metadata.uid"], &web());
        assert!(uid.contains("leave `metadata.uid` out"), "{uid}");
    }

    #[test]
    fn what_cannot_be_replaced_keeps_its_data() {
        let selector = fixed(&web(), Fixed::Selector, true);
        assert!(
            selector.contains("`kubectl delete statefulset/web -n shop`"),
            "{selector}"
        );
        let deletes = fixed(&web(), Fixed::Selector, false);
        assert!(!deletes.contains("kubectl delete"), "{deletes}");
        let claim = ObjectRef::new("", "PersistentVolumeClaim", Some("shop"), "data");
        let claim = fixed(&claim, Fixed::Data, true);
        assert!(!claim.contains("delete"), "{claim}");
    }

    #[test]
    fn everything_in_the_way_is_replaced_by_one_command() {
        let service = Problem::MustBeReplaced {
            object: ObjectRef::new("", "Service", Some("shop"), "web"),
            replacement: Replacement {
                fields: vec![".spec.clusterIPs[0]".to_owned()],
                deletes_pods: false,
                growths: Vec::new(),
            },
        };
        let stranger = Problem::Risk(Risk {
            kind: RiskKind::ForeignPods,
            object: ObjectRef::new("apps", "Deployment", Some("shop"), "web"),
            reason: String::new(),
            remedy: String::new(),
        });
        let hints = problem_hints(&[service, stranger]);
        let command = "`cryptoctl up --replace deployment/web --replace service/web`";
        assert!(hints[0].contains(command), "{hints:?}");
        assert_eq!(
            hints.len(),
            1,
            "accepting one of them would not be enough: {hints:?}"
        );
    }
}
