//! What the user has to know of managers that are taken over.

use std::collections::BTreeMap;

use crate::fields::FieldChoices;
use crate::figures::count;
use crate::ops::Context;
use crate::plan::Step;

/// The field manager of Helm.
const HELM: &str = "helm";

/// The release that an object belongs to (Helm, `pkg/action/validate.go`).
const RELEASE: &str = "meta.helm.sh/release-name";
/// The namespace of that release.
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// Warns of managers that were named for this run and own nothing.
pub(crate) fn warn_of_strangers(context: &Context, choices: &FieldChoices, steps: &[Step]) {
    for former in &choices.taken_over {
        let mut rows = steps.iter().flat_map(|step| &step.settlement.moved);
        if !rows.any(|row| former.is(&row.owner)) {
            context.warn(format!(
                "`--take-over {former}` changes nothing: {former} owns no field of the set"
            ));
        }
    }
}

/// Warns of Helm releases whose objects are taken over: Helm's own record still lists them.
pub(crate) fn warn_of_releases(context: &Context, steps: &[Step]) {
    let mut releases: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for step in steps {
        let mut moved = step.settlement.moved.iter();
        let Some(live) = step
            .live
            .as_ref()
            .filter(|_| moved.any(|row| row.owner.manager == HELM))
        else {
            continue;
        };
        let annotation = |name| live["metadata"]["annotations"][name].as_str();
        if let (Some(release), Some(namespace)) =
            (annotation(RELEASE), annotation(RELEASE_NAMESPACE))
        {
            *releases.entry((release, namespace)).or_default() += 1;
        }
    }
    for ((release, namespace), objects) in releases {
        let objects = count(objects, "object");
        context.warn(format!(
            "the Helm release `{release}` in namespace `{namespace}` still lists {objects} of the set: `helm uninstall {release}` would delete them; `kubectl delete secret -n {namespace} -l owner=helm,name={release}` makes Helm forget the release"
        ));
    }
}
