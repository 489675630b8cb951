//! What becomes of a change that the API server allows only to a new object.
//!
//! Which fields cannot be changed is known only to the API server, and its sentences about them differ
//! between kinds and versions. So an apply that it refuses because of fields is tried as a creation under
//! another name: if that is accepted, nothing is wrong with the manifest but that the object exists.

use serde_json::{Value, json};

use super::adoption;
use super::elsewhere;
use super::growth;
use super::prediction::Subject;
use super::undeclared;
use crate::cluster::ClusterError;
use crate::fields::{Former, Settlement, drop_own, forget_addresses, merged};
use crate::manifest::pod_template;
use crate::ops::ServerField;
use crate::ops::error::Problem;
use crate::plan::{Step, Target};
use crate::replacement::{
    Adoption, Fixed, Growth, Replacement, fixed_fields, growing, has_other_templates, holds_data,
    mark, of_stateful_set,
};

/// A change that needs a new object.
pub(crate) struct Immutable {
    /// The change, as far as a new object can be made.
    pub(crate) step: Step,
    /// What keeps `up` from making one.
    pub(crate) problem: Option<Problem>,
}

impl Subject<'_> {
    /// Finds out whether a refused apply needs a new object; `None` if that would be refused, too. `sent`
    /// has what the apply had.
    pub(crate) async fn immutable(
        self,
        sent: &Target,
        former: Option<&Former>,
        refusal: &ClusterError,
    ) -> Option<Immutable> {
        let ClusterError::Refused { fields, .. } = refusal else {
            return None;
        };
        // A policy may refuse what it would let be created: that says nothing about the object.
        if !refusal.is_about_fields() || fields.is_empty() {
            return None;
        }
        let (body, live) = (&self.target.body, Some(self.live));
        if ServerField::in_the_way(body, live, refusal).is_some() {
            return None;
        }
        let fresh = elsewhere::fresh(self.context, self.target).await?;
        if self.target.reference.is("apps", "StatefulSet") {
            return self.stateful_set(sent, former, &fresh).await;
        }
        let mut planned = self.renamed(fresh);
        forget_addresses(&mut planned, &self.target.body);
        if self.can_become(&planned).await {
            return None;
        }
        let fields = fields.iter().map(|field| format!(".{field}")).collect();
        let step = self.step(planned);
        let object = &self.target.reference;
        if holds_data(object) {
            let problem = Problem::Fixed {
                object: object.clone(),
                fields,
                reason: Fixed::Data,
                keeps_claims: true,
            };
            return Some(Immutable {
                step,
                problem: Some(problem),
            });
        }
        let replacement = Replacement {
            fields,
            deletes_pods: !object.is("", "Pod") && pod_template(object, self.live).is_some(),
            growths: Vec::new(),
        };
        let is_named = self.rules.replaced.iter().any(|name| name.means(object));
        let problem = (!is_named).then(|| Problem::MustBeReplaced {
            object: object.clone(),
            replacement: replacement.clone(),
        });
        Some(Immutable {
            step: step.replaced(replacement),
            problem,
        })
    }

    /// Whether the live object could have everything that a new one has: then only the apply is refused, for
    /// what it leaves beside its own values. Any other failure proves nothing.
    async fn can_become(self, planned: &Value) -> bool {
        let is_data =
            |name: &&String| !["apiVersion", "kind", "metadata", "status"].contains(&name.as_str());
        let fields = planned.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| is_data(name));
        let operations: Vec<Value> = fields
            .map(|(name, value)| json!({"op": "add", "path": format!("/{name}"), "value": value}))
            .collect();
        let refused = self.patched(&[], &operations).await.err();
        !refused.is_some_and(|error| error.is_about_fields())
    }

    /// A StatefulSet keeps what others own, and its pods keep running.
    async fn stateful_set(
        self,
        sent: &Target,
        former: Option<&Former>,
        fresh: &Value,
    ) -> Option<Immutable> {
        let Self {
            context,
            target,
            live,
            ..
        } = self;
        let mut undeclared = Vec::new();
        if former.is_some() || self.rules.looks_for_undeclared() {
            undeclared = undeclared::find(context, target, live).await;
        }
        let migration = former.map(|former| former.migration(live, &target.body, &mut undeclared));
        let migration = migration.unwrap_or_default();
        let reverted = undeclared::named(target, &undeclared, self.rules.choices);
        let leaving: Vec<_> = migration.removed().chain(&reverted).cloned().collect();
        let mut body = merged(live, &sent.body, fresh, &leaving);
        drop_own(&mut body, live, &target.body);
        migration.forget_last_applied(&mut body);
        let new = Target {
            body: bare(&body),
            ..target.clone()
        };
        // The proof: the API server would create it.
        let planned = self.renamed(elsewhere::fresh(context, &new).await?);
        let fields = fixed_fields(live, &planned);
        if fields.is_empty() {
            return None;
        }
        let pods = adoption::pods(context, target, live, &planned).await;
        let (growths, unread) = match self.growths(&planned).await {
            Ok(growths) => (growths, None),
            Err(source) => (Some(Vec::new()), Some(source)),
        };
        let mut planned = planned;
        if pods.adoption.as_ref().is_some_and(Adoption::is_renamed) {
            mark(&mut planned);
        }
        let mut step = self.step(planned);
        step.adoption = pods.adoption;
        step.sent = Some(&sent.body)
            .filter(|body| **body != target.body)
            .cloned();
        step.undeclared = undeclared;
        step.settlement = Settlement {
            moved: migration.moved,
            reverted,
            ..Settlement::default()
        };
        Some(
            match of_stateful_set(fields.clone(), pods.are_matched, growths) {
                Ok(replacement) => Immutable {
                    problem: match unread {
                        Some(source) => Some(Problem::Refused {
                            object: target.reference.clone(),
                            source,
                        }),
                        None => self.refused_growth(&replacement).await,
                    },
                    step: step.replaced(replacement),
                },
                Err(reason) => {
                    let policy = &live["spec"]["persistentVolumeClaimRetentionPolicy"];
                    let problem = Problem::Fixed {
                        object: target.reference.clone(),
                        fields,
                        reason,
                        keeps_claims: policy["whenDeleted"] != "Delete",
                    };
                    Immutable {
                        step,
                        problem: Some(problem),
                    }
                }
            },
        )
    }

    /// The claims that grow; `None` if their templates change in another way.
    async fn growths(self, planned: &Value) -> Result<Option<Vec<Growth>>, ClusterError> {
        let requests = growing(self.live, planned);
        let Some(requests) = requests.filter(|_| has_other_templates(self.live, planned)) else {
            return Ok(None);
        };
        let found = growth::find(self.context, self.target, &requests);
        found.await.map(Some)
    }

    async fn refused_growth(self, replacement: &Replacement) -> Option<Problem> {
        for growth in &replacement.growths {
            let problem = growth::problem(self.context, self.target, growth).await;
            if problem.is_some() {
                return problem;
            }
        }
        None
    }

    fn step(self, planned: Value) -> Step {
        Step::new(self.target.clone(), Some(self.live.clone()), Some(planned))
    }

    /// What was created under another name, under its own.
    fn renamed(self, mut created: Value) -> Value {
        created["metadata"]["name"] = self.target.reference.name.as_str().into();
        created
    }
}

/// An object without what the API server maintains.
pub(crate) fn bare(object: &Value) -> Value {
    let mut bare = object.clone();
    if let Some(fields) = bare.as_object_mut() {
        fields.shift_remove("status");
    }
    let mut metadata = json!({});
    for field in [
        "name",
        "namespace",
        "labels",
        "annotations",
        "finalizers",
        "ownerReferences",
    ] {
        let value = &object["metadata"][field];
        if !value.is_null() {
            metadata[field] = value.clone();
        }
    }
    bare["metadata"] = metadata;
    bare
}
