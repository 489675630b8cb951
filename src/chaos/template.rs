//! Tells a pod with a different template revision from one that only came back: the new template may
//! change the content, so different content proves nothing about the data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};

use super::steady::without_our_marks;
use crate::cluster::Sight;
use crate::fault::Fault;
use crate::report::Remade;
use crate::status::{revision_hash, revision_of};

/// The template revision of every pod at its last verification.
#[derive(Clone)]
pub(super) struct Templates {
    sets: Sight<StatefulSet>,
    pods: Sight<Pod>,
    /// Whether the experiment itself creates a new revision of an otherwise equal template.
    restarts: bool,
    template: PodTemplateSpec,
    update_revision: Option<String>,
    verified: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Templates {
    /// The pods as they are in the steady state.
    pub(super) fn of(
        set: &StatefulSet,
        sets: Sight<StatefulSet>,
        pods: Sight<Pod>,
        fault: Option<Fault>,
    ) -> Self {
        let status = set.status.as_ref();
        let templates = Self {
            sets,
            pods,
            restarts: fault.is_some_and(Fault::changes_template),
            template: without_restarts(set),
            update_revision: status.and_then(|status| status.update_revision.clone()),
            verified: Arc::default(),
        };
        templates.verify();
        templates
    }

    /// Notes that the pods were verified in their current state.
    pub(super) fn verify(&self) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        *verified = revisions(&self.pods);
    }

    /// The change of template revision since the pod was verified, if any.
    pub(super) fn remade(&self, pod: &str) -> Option<Remade> {
        let now = revisions(&self.pods).remove(pod)?;
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        let before = verified.get(pod)?;
        let is_ours = self.restarts
            && Some(before) == self.update_revision.as_ref()
            && !self.has_template_changed();
        (*before != now && !is_ours).then(|| Remade {
            pod: pod.to_owned(),
            revision_before: revision_hash(before).to_owned(),
            revision_after: revision_hash(&now).to_owned(),
        })
    }

    /// Every pod with such a change.
    pub(super) fn all_remade(&self) -> Vec<Remade> {
        let pods = revisions(&self.pods).into_keys();
        pods.filter_map(|pod| self.remade(&pod)).collect()
    }

    fn has_template_changed(&self) -> bool {
        let sets = self.sets.current().unwrap_or_default();
        sets.first()
            .is_none_or(|set| without_restarts(set) != self.template)
    }
}

fn revisions(pods: &Sight<Pod>) -> BTreeMap<String, String> {
    let pods = pods.current().unwrap_or_default();
    let named = pods.iter().filter_map(|pod| {
        let name = pod.metadata.name.clone()?;
        Some((name, revision_of(pod)?.to_owned()))
    });
    named.collect()
}

/// The template without the annotation of a restart.
fn without_restarts(set: &StatefulSet) -> PodTemplateSpec {
    without_our_marks(set.clone(), true).spec.template
}
