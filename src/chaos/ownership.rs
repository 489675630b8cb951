//! Returns `.spec.replicas` to its owners (`metadata.managedFields`, KEP-555). Pure.
//!
//! A write takes a field from its owner and a second write does not return it: the owner's next apply
//! would conflict with an experiment that is long over. `managedFields` can be written directly
//! (`k8s.io/apimachinery` `pkg/util/managedfields/internal/fieldmanager.go`, `Update`).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fields::EXPERIMENT_MANAGER;

/// The owner of a field, as named by an entry of `managedFields`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    manager: Option<String>,
    operation: Option<String>,
    api_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subresource: Option<String>,
}

impl Owner {
    fn of(entry: &ManagedFieldsEntry) -> Self {
        Self {
            manager: entry.manager.clone(),
            operation: entry.operation.clone(),
            api_version: entry.api_version.clone(),
            subresource: entry.subresource.clone(),
        }
    }

    fn is_experiment(&self) -> bool {
        self.manager.as_deref() == Some(EXPERIMENT_MANAGER)
    }
}

/// The owners of `.spec.replicas`, without experiments.
pub(super) fn owners(managed: &[ManagedFieldsEntry]) -> Vec<Owner> {
    let owning = managed.iter().filter(|entry| owns(entry)).map(Owner::of);
    owning.filter(|owner| !owner.is_experiment()).collect()
}

/// Whether an experiment owns `.spec.replicas`.
pub(super) fn is_owned_by_experiment(managed: &[ManagedFieldsEntry]) -> bool {
    let mut owning = managed.iter().filter(|entry| owns(entry)).map(Owner::of);
    owning.any(|owner| owner.is_experiment())
}

/// The entries with `.spec.replicas` returned to its owners; without owners, no entry has it.
pub(super) fn given_back(
    managed: &[ManagedFieldsEntry],
    owners: &[Owner],
) -> Vec<ManagedFieldsEntry> {
    let mut entries = managed.to_vec();
    for entry in &mut entries {
        if Owner::of(entry).is_experiment() {
            disown(entry);
        }
    }
    for owner in owners {
        match entries.iter_mut().find(|entry| Owner::of(entry) == *owner) {
            Some(entry) => own(entry),
            None => entries.push(ManagedFieldsEntry {
                manager: owner.manager.clone(),
                operation: owner.operation.clone(),
                api_version: owner.api_version.clone(),
                subresource: owner.subresource.clone(),
                fields_type: Some("FieldsV1".to_owned()),
                fields_v1: Some(FieldsV1(json!({"f:spec": {"f:replicas": {}}}))),
                time: None,
            }),
        }
    }
    entries.retain(|entry| {
        let fields = entry
            .fields_v1
            .as_ref()
            .and_then(|fields| fields.0.as_object());
        fields.is_some_and(|fields| !fields.is_empty())
    });
    entries
}

fn owns(entry: &ManagedFieldsEntry) -> bool {
    let fields = entry.fields_v1.as_ref();
    fields.is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
}

fn own(entry: &mut ManagedFieldsEntry) {
    let fields = entry.fields_v1.get_or_insert_with(|| FieldsV1(json!({})));
    fields.0["f:spec"]["f:replicas"] = json!({});
}

fn disown(entry: &mut ManagedFieldsEntry) {
    let fields = entry.fields_v1.as_mut();
    let Some(fields) = fields.and_then(|fields| fields.0.as_object_mut()) else {
        return;
    };
    let spec = fields.get_mut("f:spec").and_then(Value::as_object_mut);
    let is_empty = spec.is_some_and(|spec| {
        spec.shift_remove("f:replicas");
        spec.is_empty()
    });
    if is_empty {
        fields.shift_remove("f:spec");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> ManagedFieldsEntry {
        ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            operation: Some(operation.to_owned()),
            api_version: Some("apps/v1".to_owned()),
            fields_v1: Some(FieldsV1(fields)),
            ..ManagedFieldsEntry::default()
        }
    }

    fn fields(entries: &[ManagedFieldsEntry]) -> Vec<(&str, &Value)> {
        entries
            .iter()
            .map(|entry| {
                let fields = &entry.fields_v1.as_ref().unwrap().0;
                (entry.manager.as_deref().unwrap(), fields)
            })
            .collect()
    }

    #[test]
    fn what_an_experiment_took_returns_to_whom_it_was_taken_from() {
        let both = json!({"f:spec": {"f:replicas": {}, "f:serviceName": {}}});
        let before = [entry("cryptoctl", "Apply", both.clone())];
        let noted = owners(&before);
        assert!(!is_owned_by_experiment(&before));

        let service = json!({"f:spec": {"f:serviceName": {}}});
        let after = [
            entry("cryptoctl", "Apply", service.clone()),
            entry(
                EXPERIMENT_MANAGER,
                "Update",
                json!({"f:spec": {"f:replicas": {}}}),
            ),
        ];
        assert!(is_owned_by_experiment(&after));
        let back = given_back(&after, &noted);
        assert_eq!(fields(&back), [("cryptoctl", &both)]);
        assert_eq!(fields(&given_back(&after, &[])), [("cryptoctl", &service)]);
    }

    #[test]
    fn an_owner_of_nothing_else_is_named_again_and_other_fields_stay() {
        let mut scaled = entry("kubectl", "Update", json!({"f:spec": {"f:replicas": {}}}));
        scaled.subresource = Some("scale".to_owned());
        let noted = owners(std::slice::from_ref(&scaled));
        let template = json!({"f:spec": {"f:template": {}, "f:replicas": {}}});
        let after = [entry(EXPERIMENT_MANAGER, "Update", template)];
        let back = given_back(&after, &noted);
        let kept = json!({"f:spec": {"f:template": {}}});
        let again = json!({"f:spec": {"f:replicas": {}}});
        assert_eq!(
            fields(&back),
            [(EXPERIMENT_MANAGER, &kept), ("kubectl", &again)]
        );
        assert_eq!(back[1].subresource.as_deref(), Some("scale"));
        let text = serde_json::to_string(&noted).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Owner>>(&text).unwrap(), noted);
    }
}
