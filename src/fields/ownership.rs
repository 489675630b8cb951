//! What the managed fields of an object say about all of its fields.

use serde_json::Value;

use super::lists::Lists;
use super::manager::{Manager, managers};
use super::owner::Owner;
use super::path::FieldPath;

/// The managers of a live object, and how the items of its lists are told apart.
#[derive(Debug, Clone, Default)]
pub struct Ownership {
    managers: Vec<Manager>,
    lists: Lists,
}

impl Ownership {
    /// Reads the managed fields of the live object. Those of the planned one may say more about its
    /// lists.
    #[must_use]
    pub fn new(live: &Value, planned: Option<&Value>) -> Self {
        let owning = managers(live);
        let later = planned.map(managers).unwrap_or_default();
        Self {
            lists: Lists::new(owning.iter().chain(&later)),
            managers: owning,
        }
    }

    /// Whether the object says anything about its owners.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.managers.is_empty()
    }

    /// How the items of lists are told apart.
    pub(super) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Every field of an object that has no fields below it, in the order in which its YAML is written.
    #[must_use]
    pub fn leaves(&self, object: &Value) -> Vec<FieldPath> {
        self.lists.leaves(object)
    }

    /// The owners of a field: those of the field itself and of what is below it; if there are none,
    /// those of the value that it is a part of.
    #[must_use]
    pub fn owners(&self, path: &FieldPath) -> Vec<Owner> {
        let of = |owns: &dyn Fn(&Manager) -> bool| -> Vec<Owner> {
            let owning = self.managers.iter().filter(|manager| owns(manager));
            owning.map(|manager| manager.owner.clone()).collect()
        };
        let found = of(&|manager| manager.owns_in(path));
        if !found.is_empty() {
            return found;
        }
        let is_whole = |owned: &&FieldPath| path.is_in(owned) && !is_divided(owned, &self.managers);
        match fields(&self.managers).find(is_whole) {
            Some(whole) => of(&|manager| manager.fields.contains(whole)),
            None => Vec::new(),
        }
    }
}

/// Whether something below a field has owners of its own.
pub(super) fn is_divided(path: &FieldPath, managers: &[Manager]) -> bool {
    fields(managers).any(|owned| owned != path && owned.is_in(path))
}

fn fields(managers: &[Manager]) -> impl Iterator<Item = &FieldPath> {
    managers.iter().flat_map(|manager| &manager.fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owners_of_part(fields: &Value) -> usize {
        let live = json!({"metadata": {"managedFields": [{"manager": "x", "fieldsV1": fields}]}});
        let ownership = Ownership::new(&live, None);
        let part = ownership.leaves(&json!({"spec": {"selector": {"app": "x"}}}));
        ownership.owners(&part[0]).len()
    }

    #[test]
    fn a_part_of_a_value_belongs_to_the_owner_of_the_whole() {
        assert_eq!(owners_of_part(&json!({"f:spec": {"f:selector": {}}})), 1);
        // A map whose keys have owners of their own says nothing about another key.
        let divided = json!({"f:spec": {"f:selector": {".": {}, "f:tier": {}}}});
        assert_eq!(owners_of_part(&divided), 0);
    }

    #[test]
    fn a_part_of_a_list_that_is_one_value_belongs_to_the_owner_of_the_list() {
        let live = json!({"metadata": {"managedFields": [{"manager": "x", "fieldsV1": {
            "f:containers": {"k:{\"name\":\"api\"}": {"f:args": {}}}}}]}});
        let ownership = Ownership::new(&live, None);
        let object = json!({"containers": [{"args": [{"a": "b"}], "name": "api"}]});
        let owners: Vec<usize> = ownership
            .leaves(&object)
            .iter()
            .map(|leaf| ownership.owners(leaf).len())
            .collect();
        assert_eq!(owners, [1, 0], "the arguments and the name");
    }
}
