//! Deletes an object and creates it again, so that it can have what the API server does not let change.

use serde_json::{Value, json};

use super::apply::ATTEMPTS;
use super::dry_run::{self, Rules};
use super::elsewhere;
use super::growth;
use super::immutable::bare;
use crate::cluster::{ApplyMode, ClusterError, Deletion, Selector};
use crate::fields::{FieldPath, Former, Owner, handed_over, owners_patch};
use crate::ops::Context;
use crate::plan::{Step, Target};
use crate::replacement::SERVICE_NAME;

/// Says that an object is missing if the run ends before there is a new one.
struct Missing<'a> {
    context: &'a Context,
    target: &'a Target,
    is_open: bool,
}

impl Drop for Missing<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let object = &self.target.reference;
            self.context.warn(format!(
                "`{object}` may be deleted and is not created again yet: repeat the command to create it"
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
    step: &Step,
) -> Result<Value, ClusterError> {
    let keeps_pods = step.target.reference.is("apps", "StatefulSet");
    prove(context, step, keeps_pods).await?;
    for growth in step.replacement.iter().flat_map(|it| &it.growths) {
        growth::grow(context, &step.target, growth).await?;
    }
    let mut missing = Missing {
        context,
        target: &step.target,
        is_open: false,
    };
    let before = delete(context, rules, step, keeps_pods, &mut missing).await?;
    // Somebody else may have deleted it: then there is one to create all the same.
    missing.is_open = true;
    let heritage = Heritage::new(rules, before.as_ref());
    let created = if keeps_pods && (step.rolls() || heritage.is_left_to_others(&step.planned)) {
        let created = create(context, step).await?;
        missing.is_open = false;
        hand_over(context, step, &heritage, created).await
    } else {
        context.apply(&step.applied(), ApplyMode::Store).await
    };
    missing.is_open &= created.is_err();
    created
}

/// What the managers of the old object leave to the new one.
struct Heritage<'a> {
    before: &'a Value,
    former: Option<Former>,
}

impl<'a> Heritage<'a> {
    fn new(rules: Rules<'_>, before: Option<&'a Value>) -> Self {
        let before = before.unwrap_or(&Value::Null);
        Self {
            before,
            former: Former::of(before, rules.choices),
        }
    }

    /// The managed fields of the new object.
    fn owners(&self, new: &Value, rolled: Option<&FieldPath>) -> Vec<Value> {
        let is_former = |owner: &Owner| self.former.as_ref().is_some_and(|it| it.has(owner));
        handed_over(self.before, new, rolled, is_former)
    }

    /// Whether anybody else owns a field of the new object.
    fn is_left_to_others(&self, planned: &Value) -> bool {
        !self.owners(planned, None).is_empty()
    }
}

/// Creates a StatefulSet whose pods have the names of another Service.
///
/// # Errors
/// A refusal.
pub(crate) async fn create_rolling(
    context: &Context,
    rules: Rules<'_>,
    step: &Step,
) -> Result<Value, ClusterError> {
    let created = create(context, step).await?;
    let heritage = Heritage::new(rules, None);
    hand_over(context, step, &heritage, created).await
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
            message: "the API server would no longer create the new object".to_owned(),
        }),
    }
}

/// Deletes the object as it was shown, and waits until it is gone; returns its last state. A change of its
/// status alone does not count.
async fn delete(
    context: &Context,
    rules: Rules<'_>,
    step: &Step,
    keeps_pods: bool,
    missing: &mut Missing<'_>,
) -> Result<Option<Value>, ClusterError> {
    let Target {
        kind, reference, ..
    } = &step.target;
    let namespace = reference.namespace.as_deref();
    let known = step
        .live
        .as_ref()
        .map(|live| live["metadata"]["uid"].clone());
    for attempt in 1..=ATTEMPTS {
        let read = context
            .cluster
            .get::<Value>(kind, namespace, &reference.name);
        let Some(live) = read.await? else {
            return Ok(None);
        };
        let metadata = &live["metadata"];
        let is_known = Some(&metadata["uid"]) == known.as_ref();
        if !is_known || !(step.is_as_planned(&live) || is_repeated(context, rules, step).await) {
            break;
        }
        let text = |field: &str| metadata[field].as_str().unwrap_or_default();
        let (uid, version) = (text("uid"), text("resourceVersion"));
        let cluster = &context.cluster;
        let deleting =
            cluster.delete_bound(kind, namespace, &reference.name, uid, version, keeps_pods);
        match deleting.await {
            // Another version of it, or it is gone: that shows when it is read again.
            Ok(Deletion::AlreadyGone) => cluster.let_others_write(attempt).await,
            Ok(Deletion::Gone | Deletion::Accepted) => {
                missing.is_open = true;
                wait_until_gone(context, &step.target, uid).await?;
                return Ok(Some(live));
            }
            Err(error) => {
                missing.is_open = error.outcome_is_unknown();
                return Err(error);
            }
        }
    }
    Err(ClusterError::Conflict {
        message: "it is no longer as it was shown".to_owned(),
    })
}

/// Whether the same would be done to an object that has changed since.
async fn is_repeated(context: &Context, rules: Rules<'_>, step: &Step) -> bool {
    dry_run::repeat(context, step, rules).await.is_some()
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

/// Creates a StatefulSet that adopts the pods of the one before it, under a manager of its own. Where the
/// pods have to be replaced, the pod template says so from the start: an interrupted run leaves nothing to
/// remember.
async fn create(context: &Context, step: &Step) -> Result<Value, ClusterError> {
    let mut new = step.target.clone();
    new.body = bare(&step.planned);
    if step.rolls() {
        mark(&mut new.body);
    }
    context.apply(&new, ApplyMode::StoreForRollout).await
}

/// Leaves to others what is theirs in a new object, and applies the manifest.
async fn hand_over(
    context: &Context,
    step: &Step,
    heritage: &Heritage<'_>,
    mut created: Value,
) -> Result<Value, ClusterError> {
    let mark = FieldPath::of_fields(&MARK);
    let mark = mark.get(&created).is_some().then_some(&mark);
    let Target {
        kind, reference, ..
    } = &step.target;
    let namespace = reference.namespace.as_deref();
    let cluster = &context.cluster;
    for attempt in 1..=ATTEMPTS {
        let patch = owners_patch(&created, &heritage.owners(&created, mark));
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
    context.apply(&step.applied(), ApplyMode::Store).await
}

/// Where the mark is that makes pods roll.
const MARK: [&str; 5] = ["spec", "template", "metadata", "annotations", SERVICE_NAME];

fn mark(stateful_set: &mut Value) {
    let service = stateful_set["spec"]["serviceName"].clone();
    let annotations = &mut stateful_set["spec"]["template"]["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = json!({});
    }
    annotations[SERVICE_NAME] = service;
}
