//! Deletes an object and creates it again, so that it can have what the API server does not let change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::adoption;
use super::dry_run::{self, Rules};
use super::elsewhere;
use super::growth;
use super::immutable::bare;
use crate::cluster::{ApplyMode, ClusterError, Deletion, Selector};
use crate::fields::{FieldPath, Former, Owner, handed_over, managers, owners_patch};
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::write::ATTEMPTS;
use crate::plan::{Step, Target};
use crate::replacement::SERVICE_NAME;

/// Says that an object is missing if the run ends before there is a new one.
struct Missing<'a> {
    context: &'a Context,
    object: ObjectRef,
    /// Those whose fields are gone with it.
    others: BTreeSet<String>,
    is_open: bool,
}

impl Drop for Missing<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let object = &self.object;
            let others: Vec<&str> = self.others.iter().map(String::as_str).collect();
            let lost = match others.as_slice() {
                [] => String::new(),
                others => format!("; then what {} had set is lost", others.join(", ")),
            };
            self.context.warn(format!(
                "`{object}` may be deleted and is not created again yet: repeat the command to create it{lost}"
            ));
        }
    }
}

/// Puts a new object in the place of the live one. The pods of a StatefulSet keep running, and what other
/// managers own stays theirs.
///
/// # Errors
/// A refusal, or [`ClusterError::Conflict`] if the object is no longer the one that was shown.
pub(crate) async fn replace(
    context: &Context,
    rules: Rules<'_>,
    step: &mut Step,
) -> Result<Value, ClusterError> {
    let keeps_pods = step.target.reference.is("apps", "StatefulSet");
    prove(context, step, keeps_pods).await?;
    for growth in step.replacement.iter().flat_map(|it| &it.growths) {
        growth::grow(context, &step.target, growth).await?;
    }
    let mut missing = Missing {
        context,
        object: step.target.reference.clone(),
        others: BTreeSet::new(),
        is_open: false,
    };
    let before = delete(context, rules, step, keeps_pods, &mut missing).await?;
    // Somebody else may have deleted it: then there is one to create all the same.
    missing.is_open = true;
    let created = if keeps_pods {
        create(context, step).await
    } else {
        context.apply(&step.target, ApplyMode::Store).await
    };
    // If others own its fields, somebody else was faster.
    let is_there = matches!(created, Ok(_) | Err(ClusterError::OwnedByOthers { .. }));
    missing.is_open = !is_there;
    if keeps_pods {
        hand_over(context, rules, step, before.as_ref(), created?).await
    } else {
        created
    }
}

/// Creates a StatefulSet that finds pods of an earlier one.
///
/// # Errors
/// A refusal.
pub(crate) async fn create_over_pods(
    context: &Context,
    rules: Rules<'_>,
    step: &Step,
) -> Result<Value, ClusterError> {
    let created = create(context, step).await?;
    hand_over(context, rules, step, None, created).await
}

/// Tries the creation under another name once more: between the plan and now, a person was asked.
async fn prove(context: &Context, step: &Step, keeps_pods: bool) -> Result<(), ClusterError> {
    let mut new = step.target.clone();
    if keeps_pods {
        new.body = bare(&step.planned);
    }
    match elsewhere::fresh(context, &new).await {
        Some(_) => Ok(()),
        None => Err(ClusterError::Conflict {
            message: "a dry run of the new object under another name was not accepted".to_owned(),
        }),
    }
}

/// Deletes the object, and waits until it is gone; returns its last state. If it is not as it was shown, the
/// same has to follow for its new state, which then counts.
async fn delete(
    context: &Context,
    rules: Rules<'_>,
    step: &mut Step,
    keeps_pods: bool,
    missing: &mut Missing<'_>,
) -> Result<Option<Value>, ClusterError> {
    let Target {
        kind, reference, ..
    } = step.target.clone();
    let namespace = reference.namespace.as_deref();
    let known = step.live.as_ref();
    let known = known.map(|live| live["metadata"]["uid"].clone());
    let cluster = &context.cluster;
    let mut last = None;
    for attempt in 1..=ATTEMPTS {
        let read = cluster.get::<Value>(&kind, namespace, &reference.name);
        let Some(live) = read.await? else {
            return Ok(last);
        };
        let metadata = &live["metadata"];
        if Some(&metadata["uid"]) != known.as_ref() {
            break;
        }
        if !step.is_as_planned(&live) {
            let Some(again) = dry_run::repeat(context, step, rules).await else {
                break;
            };
            *step = again;
            cluster.let_others_write(attempt).await;
            continue;
        }
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let (uid, version) = (text("uid"), text("resourceVersion"));
        let deleting =
            cluster.delete_bound(&kind, namespace, &reference.name, uid, version, keeps_pods);
        missing.others = others(&live);
        // If the run ends before the answer, nobody knows.
        missing.is_open = true;
        match deleting.await {
            // Another version of it, or it is gone: that shows when it is read again.
            Ok(Deletion::AlreadyGone) => {
                last = Some(live);
                cluster.let_others_write(attempt).await;
            }
            Ok(Deletion::Gone | Deletion::Accepted) => {
                wait_until_gone(context, &step.target, uid).await?;
                return Ok(Some(live));
            }
            Err(error) => {
                missing.is_open = error.outcome_is_unknown();
                return Err(error);
            }
        }
    }
    missing.is_open = false;
    Err(ClusterError::Conflict {
        message: "it is no longer as it was shown".to_owned(),
    })
}

/// The managers of an object besides this program and Kubernetes.
fn others(live: &Value) -> BTreeSet<String> {
    let owners = managers(live).into_iter().map(|manager| manager.owner);
    let others = owners.filter(|owner| !owner.is_ours() && !owner.is_machinery());
    others.map(|owner| owner.manager).collect()
}

async fn wait_until_gone(
    context: &Context,
    target: &Target,
    uid: &str,
) -> Result<(), ClusterError> {
    let reference = &target.reference;
    let namespace = reference.namespace.as_deref();
    let selector = Selector::name(&reference.name);
    let mut watched = context
        .cluster
        .watch::<Value>(&target.kind, namespace, selector);
    loop {
        watched.changed().await?;
        let objects = watched.current().unwrap_or_default();
        if objects
            .iter()
            .all(|object| object["metadata"]["uid"] != uid)
        {
            return Ok(());
        }
    }
}

/// Creates a StatefulSet as it is planned, under a manager of its own: with what others own, and with the mark
/// that makes pods roll, so that an interrupted run leaves nothing to remember.
async fn create(context: &Context, step: &Step) -> Result<Value, ClusterError> {
    let mut new = step.target.clone();
    new.body = bare(&step.planned);
    context.apply(&new, ApplyMode::StoreForRollout).await
}

/// Leaves to others what is theirs in a new object, and applies the manifest.
async fn hand_over(
    context: &Context,
    rules: Rules<'_>,
    step: &Step,
    before: Option<&Value>,
    mut created: Value,
) -> Result<Value, ClusterError> {
    let applied = step.applied();
    let before = before.unwrap_or(&Value::Null);
    let former = Former::of(before, rules.choices);
    let is_former = |owner: &Owner| former.as_ref().is_some_and(|it| it.has(owner));
    let mark = FieldPath::of_fields(&MARK);
    let mark = mark.get(&created).is_some().then_some(&mark);
    // Whoever it was left to is not known any more.
    let replicas = adoption::replicas();
    let is_left = before.is_null() && replicas.get(&applied.body).is_none();
    let kept: Vec<&FieldPath> = mark
        .into_iter()
        .chain(is_left.then_some(&replicas))
        .collect();
    let Target {
        kind, reference, ..
    } = &step.target;
    let namespace = reference.namespace.as_deref();
    let cluster = &context.cluster;
    for attempt in 1..=ATTEMPTS {
        let owners = handed_over(before, &created, &applied.body, &kept, is_former);
        let patch = owners_patch(&created, &owners);
        let patched = cluster.json_patch(kind, namespace, &reference.name, &patch, false);
        match patched.await {
            Ok(_) => break,
            // Its controller has written its status.
            Err(ClusterError::Conflict { .. }) if attempt < ATTEMPTS => {
                cluster.let_others_write(attempt).await;
                let read = cluster.get::<Value>(kind, namespace, &reference.name);
                created = read.await?.unwrap_or(created);
            }
            Err(error) => return Err(error),
        }
    }
    context.apply(&applied, ApplyMode::Store).await
}

/// Where the mark is that makes pods roll.
const MARK: [&str; 5] = ["spec", "template", "metadata", "annotations", SERVICE_NAME];
