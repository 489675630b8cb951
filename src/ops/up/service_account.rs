//! The default ServiceAccount, which a controller creates a moment after its namespace.

use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::cluster::{ResourceKind, Selector};
use crate::event::EventKind;
use crate::object::ObjectRef;
use crate::ops::Context;
use crate::ops::error::OpsError;
use crate::plan::Target;
use crate::status::{State, Status};

/// How long to wait for it. If the controller does not run, the refusal itself says what is
/// missing.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(30);

/// The account of every pod that names none.
const DEFAULT: &str = "default";

/// Waits for the account that a refused pod needs, unless it already exists or no controller
/// creates it (`k8s.io/kubernetes` `pkg/controller/serviceaccount`). Returns whether it was
/// created.
///
/// Only the admission of pods checks for it; controllers that create pods try again.
///
/// # Errors
/// A failed request.
pub(crate) async fn arrives(context: &Context, target: &Target) -> Result<bool, OpsError> {
    let Some(namespace) = needed_in(target) else {
        return Ok(false);
    };
    let doing = || OpsError::while_doing(format!("wait for the ServiceAccount `{DEFAULT}`"));
    let kind = ResourceKind::known("", "v1", "ServiceAccount", "serviceaccounts", true);
    let account = context
        .cluster
        .get::<Value>(&kind, Some(namespace), DEFAULT)
        .await;
    // Without permission to read it, waiting is not possible. An existing account is not the
    // problem.
    if !matches!(account, Ok(None)) {
        return Ok(false);
    }
    context.emit(EventKind::Waiting {
        object: ObjectRef::new("", "ServiceAccount", Some(namespace), DEFAULT),
        status: Status {
            state: State::InProgress,
            message: format!("`{}` needs it", target.reference),
        },
    });
    let until = context.deadline.min(Instant::now() + LONGEST);
    let mut watched =
        context
            .cluster
            .watch::<Value>(&kind, Some(namespace), Selector::name(DEFAULT));
    while watched.current().is_none_or(|accounts| accounts.is_empty()) {
        tokio::select! {
            biased;
            () = sleep_until(until) => return Ok(false),
            changed = watched.changed() => changed.map_err(doing())?,
        }
    }
    Ok(true)
}

/// The namespace whose default account a target needs.
fn needed_in(target: &Target) -> Option<&str> {
    let named = target.body["spec"]["serviceAccountName"].as_str();
    let is_default = named.unwrap_or(DEFAULT) == DEFAULT;
    let namespace = target.reference.namespace.as_deref();
    namespace.filter(|_| is_default && target.reference.is("", "Pod"))
}
