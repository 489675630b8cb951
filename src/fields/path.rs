//! The path of a field, as the API server writes it in `managedFields` and in its sentences.

use std::fmt;

use serde_json::Value;

use super::element::{Element, place};

/// One step of the way to a field in one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A field of an object, or a key of a map.
    Field(String),
    /// The item at this place of a list.
    Item(usize),
}

/// The way to a field as a JSON pointer (RFC 6901).
pub(super) fn pointer(steps: &[Step]) -> String {
    let text = |step: &Step| match step {
        Step::Field(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Step::Item(place) => format!("/{place}"),
    };
    steps.iter().map(text).collect()
}

/// The path of a field, such as `.spec.template.spec.containers[name="api"].image`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldPath(Vec<Element>);

impl FieldPath {
    /// The path of a field in fields.
    #[must_use]
    pub fn of_fields(names: &[&str]) -> Self {
        let element = |name: &&str| Element::Field((*name).to_owned());
        Self(names.iter().map(element).collect())
    }

    /// The value at this path.
    #[must_use]
    pub fn get<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0
            .iter()
            .try_fold(object, |value, element| match element {
                Element::Field(name) => value.get(name),
                item => {
                    let items = value.as_array()?;
                    items.get(item.place_in(items)?)
                }
            })
    }

    /// The way to the field in an object: names of fields and places in lists.
    pub(super) fn steps_in(&self, object: &Value) -> Option<Vec<Step>> {
        let mut value = object;
        let mut steps = Vec::new();
        for element in &self.0 {
            let step = match element {
                Element::Field(name) => Step::Field(name.clone()),
                item => Step::Item(item.place_in(value.as_array()?)?),
            };
            value = match &step {
                Step::Field(name) => value.get(name)?,
                Step::Item(place) => value.get(place)?,
            };
            steps.push(step);
        }
        Some(steps)
    }

    /// Puts a value at this path; nothing happens where the path does not lead anywhere.
    pub fn set(&self, object: &mut Value, value: Value) {
        if let Some(field) = at(object, &self.0) {
            *field = value;
        }
    }

    /// Removes the field and nothing around it.
    pub fn remove_alone(&self, object: &mut Value) {
        let Some((last, above)) = self.0.split_last() else {
            return;
        };
        if let Some(around) = at(object, above) {
            remove_from(around, last);
        }
    }

    /// Removes the field, and the maps and lists around it that become empty and that another object does
    /// not have.
    pub fn remove_as_in(&self, other: &Value, object: &mut Value) {
        self.remove_alone(object);
        let mut path = self.clone();
        while path.0.pop().is_some() {
            if !path.get(object).is_some_and(is_empty) || path.get(other).is_some() {
                break;
            }
            path.remove_alone(object);
        }
    }

    /// Removes the field, and the maps and lists around it that become empty.
    pub fn remove(&self, object: &mut Value) {
        remove(object, &self.0);
    }

    /// Its elements, each as the API server writes it.
    pub(super) fn elements(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }

    /// Its elements.
    pub(super) fn parts(&self) -> &[Element] {
        &self.0
    }

    /// Whether it is another path, or one below that.
    #[must_use]
    pub fn is_in(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// The path of the field that this field is a part of; `None` for an item of a list.
    pub(super) fn above_field(&self) -> Option<Self> {
        match self.0.split_last()? {
            (Element::Field(_), above) if !above.is_empty() => Some(Self(above.to_vec())),
            _ => None,
        }
    }

    /// Whether it leads into the metadata.
    pub(super) fn is_metadata(&self) -> bool {
        self.starts_with_field("metadata")
    }

    /// Whether it leads into the status.
    pub(super) fn is_status(&self) -> bool {
        self.starts_with_field("status")
    }

    fn starts_with_field(&self, name: &str) -> bool {
        matches!(self.0.first(), Some(Element::Field(first)) if first == name)
    }

    /// Whether it means an item of a list.
    pub(super) fn is_item(&self) -> bool {
        matches!(self.0.last(), Some(Element::Keys(_) | Element::Value(_)))
    }

    /// Where it leads, whichever items of lists are on the way: `.spec.containers[].image`.
    pub(super) fn place(&self) -> String {
        place(&self.0)
    }

    /// How many elements it has.
    pub(super) fn depth(&self) -> usize {
        self.0.len()
    }

    /// Whether the field can be left out of an object as a whole: nobody owns anything below it, and
    /// it is not an empty map or list of the live object that has something in this one. The keys of
    /// an item go only together with it.
    pub(super) fn is_whole_in(&self, object: &Value, live: &Value, owned: &[&Self]) -> bool {
        let is_empty = |object| self.get(object).is_some_and(is_empty);
        if is_empty(live) && !is_empty(object) {
            return false;
        }
        let Some((last, above)) = self.0.split_last() else {
            return false;
        };
        if let (Element::Field(name), Some(Element::Keys(keys))) = (last, above.last())
            && keys.contains_key(name)
        {
            return false;
        }
        if let Element::Keys(keys) = last {
            let item = self.get(object).and_then(Value::as_object);
            return item.is_some_and(|item| item.keys().all(|field| keys.contains_key(field)));
        }
        let is_below = |other: &&Self| *other != self && other.is_in(self);
        !owned.iter().any(is_below)
    }

    /// The path of an element below this one.
    pub(super) fn join(&self, element: Element) -> Self {
        let mut path = self.clone();
        path.0.push(element);
        path
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|element| element.fmt(formatter))
    }
}

/// Whether it is a map or a list with nothing in it.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn at<'a>(value: &'a mut Value, path: &[Element]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, element| match element {
        Element::Field(name) => value.get_mut(name),
        item => {
            let items = value.as_array_mut()?;
            let place = item.place_in(items)?;
            items.get_mut(place)
        }
    })
}

fn remove(value: &mut Value, path: &[Element]) {
    let Some((element, below)) = path.split_first() else {
        return;
    };
    let Some(child) = at(value, std::slice::from_ref(element)) else {
        return;
    };
    remove(child, below);
    if !is_empty(child) && !below.is_empty() {
        return;
    }
    remove_from(value, element);
}

fn remove_from(value: &mut Value, element: &Element) {
    match (value, element) {
        (Value::Object(fields), Element::Field(name)) => {
            fields.shift_remove(name);
        }
        (Value::Array(items), item) => {
            if let Some(place) = item.place_in(items) {
                items.remove(place);
            }
        }
        _ => {}
    }
}

/// The paths of a set in the form of `fieldsV1`: those that it names itself, without the ways there.
/// An element `.`, or nothing below an element, says that the path itself belongs to the set.
pub(super) fn paths(fields: &Value) -> Vec<FieldPath> {
    let mut found = Vec::new();
    collect(fields, &FieldPath::default(), &mut found);
    found
}

fn collect(fields: &Value, path: &FieldPath, found: &mut Vec<FieldPath>) {
    let below = fields.as_object().into_iter().flatten();
    let mut is_leaf = true;
    for (text, fields) in below {
        is_leaf = false;
        if text == "." {
            found.push(path.clone());
        } else if let Some(element) = Element::parse(text) {
            collect(fields, &path.join(element), found);
        }
    }
    if is_leaf {
        found.push(path.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned() -> Value {
        json!({"f:spec": {
            "f:replicas": {},
            "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}},
            "f:finalizers": {"v:\"a/b\"": {}},
            "f:order": {"i:1": {}},
            "x:later": {},
        }})
    }

    fn object() -> Value {
        json!({"spec": {
            "replicas": 3,
            "ports": [{"port": 81}, {"port": 80, "name": "http"}],
            "finalizers": ["c/d", "a/b"],
            "order": [1, 2],
        }})
    }

    fn path(text: &str) -> FieldPath {
        let mut all = paths(&owned()).into_iter();
        all.find(|path| path.to_string() == text).unwrap()
    }

    #[test]
    fn paths_read_as_in_the_api_servers_sentences() {
        let texts: Vec<String> = paths(&owned()).iter().map(ToString::to_string).collect();
        let expected = [
            ".spec.replicas",
            ".spec.ports[port=80,protocol=\"TCP\"]",
            ".spec.ports[port=80,protocol=\"TCP\"].port",
            ".spec.finalizers[=\"a/b\"]",
            ".spec.order[1]",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_path_leads_to_its_value() {
        let table = [
            (".spec.replicas", json!(3)),
            (
                ".spec.ports[port=80,protocol=\"TCP\"]",
                json!({"port": 80, "name": "http"}),
            ),
            (".spec.finalizers[=\"a/b\"]", json!("a/b")),
            (".spec.order[1]", json!(2)),
        ];
        for (text, value) in table {
            assert_eq!(path(text).get(&object()), Some(&value), "{text}");
            assert_eq!(path(text).get(&json!({})), None, "{text}");
        }
    }

    #[test]
    fn what_is_removed_leaves_nothing_empty_behind() {
        let mut rest = object();
        path(".spec.ports[port=80,protocol=\"TCP\"]").remove(&mut rest);
        assert_eq!(rest["spec"]["ports"], json!([{"port": 81}]));
        path(".spec.finalizers[=\"a/b\"]").remove(&mut rest);
        assert_eq!(rest["spec"]["finalizers"], json!(["c/d"]));
        path(".spec.finalizers[=\"a/b\"]").remove(&mut rest);
        assert_eq!(rest["spec"]["finalizers"], json!(["c/d"]), "it was gone");
        let mut only = json!({"kind": "x", "spec": {"replicas": 1}});
        path(".spec.replicas").remove(&mut only);
        assert_eq!(only, json!({"kind": "x"}));
    }

    #[test]
    fn what_becomes_empty_goes_where_another_object_has_none() {
        let only = json!({"spec": {"finalizers": ["a/b"]}});
        for (other, expected) in [
            (
                json!({"spec": {"finalizers": []}}),
                json!({"spec": {"finalizers": []}}),
            ),
            (json!({"spec": {}}), json!({"spec": {}})),
            (json!({}), json!({})),
        ] {
            let mut rest = only.clone();
            path(".spec.finalizers[=\"a/b\"]").remove_as_in(&other, &mut rest);
            assert_eq!(rest, expected);
        }
    }

    #[test]
    fn a_value_is_put_only_where_there_is_one() {
        let mut changed = object();
        path(".spec.replicas").set(&mut changed, json!(5));
        assert_eq!(changed["spec"]["replicas"], 5);
        let mut empty = json!({});
        path(".spec.replicas").set(&mut empty, json!(5));
        assert_eq!(empty, json!({}));
    }
}
