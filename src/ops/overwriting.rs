//! Tells whether a workload is still as this run has stored it.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::StatefulSet;
use serde_json::Value;

use crate::fields::{Owner, overwritten};
use crate::json;

/// At most this many fields are named.
const NAMED: usize = 3;

/// Who has overwritten which fields of a workload since it was stored, as a clause.
pub(crate) fn overwriting(stored: &Value, now: &StatefulSet) -> Option<String> {
    let stored: StatefulSet = json::from_value(stored.clone()).ok()?;
    let (before, after) = (&stored.metadata, &now.metadata);
    // Most of the time only its status has changed.
    if before.uid != after.uid || before.generation >= after.generation {
        return None;
    }
    let value = |set: &StatefulSet| serde_json::to_value(set).ok();
    let fields = overwritten(&value(&stored)?, &value(now)?);
    if fields.is_empty() {
        return None;
    }
    let owners = fields.iter().flat_map(|(_, owners)| owners);
    let owners: BTreeSet<String> = owners.map(Owner::short).collect();
    let owners: Vec<String> = owners.into_iter().collect();
    let who = match owners.as_slice() {
        [] => String::new(),
        owners => format!(" ({})", owners.join(", ")),
    };
    let named = fields.iter().take(NAMED);
    let named: Vec<String> = named.map(|(field, _)| format!("`{field}`")).collect();
    let more = match fields.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = named.join(", ");
    Some(format!(
        "another client{who} has overwritten what this run wrote: {named}{more}"
    ))
}
