//! `metadata.managedFields` and the two ways to write: apply and update (merge/update.go, managedfieldsupdater.go).

use serde_json::{Value, json};

use super::compare::compare;
use super::own::{TypeError, field_set};
use super::set::FieldSet;
use super::{merge, prune};
use crate::schema::Type;

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer {
    /// The field manager.
    pub(crate) manager: String,
    /// `group/version` of the request.
    pub(crate) api_version: String,
    /// `status` when that subresource is written.
    pub(crate) subresource: Option<String>,
    /// The time of the write, as managedFields has it.
    pub(crate) time: String,
}

/// A field that another manager owns and that an apply would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conflict {
    /// The owner, as messages print it: `"kubectl-edit" using apps/v1`.
    pub(crate) owner: String,
    /// The field.
    pub(crate) path: String,
}

/// Why an apply is refused.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Others own what it would change.
    Conflicts(Vec<Conflict>),
    /// The configuration does not fit the kind.
    Types(Vec<TypeError>),
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    manager: String,
    operation: &'static str,
    api_version: String,
    subresource: Option<String>,
    time: String,
    fields: FieldSet,
}

impl Entry {
    fn owned_by(&self, writer: &Writer, operation: &str) -> bool {
        self.operation == operation
            && self.manager == writer.manager
            && self.subresource == writer.subresource
            && (operation == "Apply" || self.api_version == writer.api_version)
    }

    fn from_json(value: &Value) -> Self {
        let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
        Self {
            manager: text("manager"),
            operation: if value["operation"] == "Apply" {
                "Apply"
            } else {
                "Update"
            },
            api_version: text("apiVersion"),
            subresource: value["subresource"].as_str().map(str::to_owned),
            time: text("time"),
            fields: FieldSet::from_json(&value["fieldsV1"]),
        }
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_json(),
        });
        if let Some(subresource) = &self.subresource {
            entry["subresource"] = Value::from(subresource.as_str());
        }
        if self.time.is_empty()
            && let Some(entry) = entry.as_object_mut()
        {
            entry.shift_remove("time");
        }
        entry
    }

    /// conflict.go, `printManager`; the identifier that it prints has no time.
    fn owner(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if let Some(subresource) = &self.subresource {
            text = format!("{text} with subresource {subresource:?}");
        }
        if self.operation == "Update" {
            text = format!("{text} using {}", self.api_version);
        }
        text
    }
}

/// Server-side apply: the new object with its managers.
pub(crate) fn apply(
    live: &Value,
    applied: &Value,
    ty: &Type,
    writer: &Writer,
    force: bool,
) -> Result<Value, Refused> {
    let former = entries(live);
    let mut set = field_set(applied, ty).map_err(Refused::Types)?;
    strip(&mut set);

    let mut managers = former.clone();
    let last = managers
        .iter()
        .position(|entry| entry.owned_by(writer, "Apply"));
    let last = last.map(|index| managers.remove(index));
    managers.push(Entry {
        manager: writer.manager.clone(),
        operation: "Apply",
        api_version: writer.api_version.clone(),
        subresource: writer.subresource.clone(),
        time: last
            .as_ref()
            .map_or_else(String::new, |entry| entry.time.clone()),
        fields: set.clone(),
    });

    let bare = without_managers(live);
    let mut object = merge::merge(&bare, applied, ty);
    if let Some(last) = &last {
        let owned = managers
            .iter()
            .fold(FieldSet::default(), |all, entry| all.union(&entry.fields));
        prune::prune(&mut object, &last.fields, &owned, ty);
    }

    let change = compare(&bare, &object, ty);
    let touched = change.modified.union(&change.added);
    let own = managers.len() - 1;
    let mut conflicts = Vec::new();
    for entry in &managers[..own] {
        let paths = entry.fields.intersection(&touched).paths();
        conflicts.extend(paths.into_iter().map(|path| Conflict {
            owner: entry.owner(),
            path,
        }));
    }
    if !force && !conflicts.is_empty() {
        conflicts.sort_by(|a, b| a.owner.cmp(&b.owner));
        return Err(Refused::Conflicts(conflicts));
    }
    for entry in &mut managers[..own] {
        entry.fields = entry
            .fields
            .difference(&touched)
            .difference(&change.removed);
    }
    // What changes nothing but its owners gets no time (apimachinery, managedfields/internal/structuredmerge.go: the
    // merged object is nil then).
    if object != bare {
        managers[own].time.clone_from(&writer.time);
    }
    Ok(with_managers(object, managers))
}

/// Create, update or patch: the new object with its managers, which it may name itself (fieldmanager.go,
/// `decodeLiveOrNew`).
pub(crate) fn update(live: &Value, new: &Value, ty: &Type, writer: &Writer) -> Value {
    let named = if writer.subresource.is_none() {
        entries(new)
    } else {
        Vec::new()
    };
    let mut managers = if named.is_empty() {
        entries(live)
    } else {
        named
    };
    let bare = without_managers(new);
    let change = compare(&without_managers(live), &bare, ty);
    let touched = change.modified.union(&change.added);
    for entry in &mut managers {
        entry.fields = entry
            .fields
            .difference(&touched)
            .difference(&change.removed);
    }
    let mut owned = touched;
    strip(&mut owned);
    if !owned.is_empty() {
        if let Some(entry) = managers
            .iter_mut()
            .find(|entry| entry.owned_by(writer, "Update"))
        {
            entry.fields = entry.fields.union(&owned);
            entry.time.clone_from(&writer.time);
        } else {
            managers.push(Entry {
                manager: writer.manager.clone(),
                operation: "Update",
                api_version: writer.api_version.clone(),
                subresource: writer.subresource.clone(),
                time: writer.time.clone(),
                fields: owned,
            });
        }
    }
    with_managers(bare, managers)
}

/// conflict.go, `getConflictMessage`.
pub(crate) fn conflict_message(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            only.owner, only.path
        );
    }
    let mut lines: Vec<String> = Vec::new();
    let mut owner = "";
    for conflict in conflicts {
        if conflict.owner != owner {
            owner = &conflict.owner;
            lines.push(format!("conflicts with {owner}:"));
        }
        lines.push(format!("- {}", conflict.path));
    }
    format!(
        "Apply failed with {} conflicts: {}",
        conflicts.len(),
        lines.join("\n")
    )
}

/// Fields that nobody owns (stripmeta.go).
fn strip(set: &mut FieldSet) {
    set.remove(&["f:apiVersion"]);
    set.remove(&["f:kind"]);
    set.remove(&["f:metadata"]);
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.remove(&["f:metadata", &super::element::field(name)]);
    }
}

fn entries(object: &Value) -> Vec<Entry> {
    let list = object["metadata"]["managedFields"].as_array();
    list.into_iter().flatten().map(Entry::from_json).collect()
}

fn without_managers(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    object
}

fn with_managers(mut object: Value, mut managers: Vec<Entry>) -> Value {
    managers.retain(|entry| !entry.fields.is_empty());
    let order = |entry: &Entry| {
        let Entry {
            operation,
            time,
            manager,
            api_version,
            subresource,
            ..
        } = entry;
        (
            *operation,
            time.clone(),
            manager.clone(),
            api_version.clone(),
            subresource.clone(),
        )
    };
    managers.sort_by_key(order);
    if !managers.is_empty() {
        object["metadata"]["managedFields"] = managers.iter().map(Entry::to_json).collect();
    }
    object
}
