//! The types of the built-in kinds: what server-side apply and strict decoding have to know about fields.
//!
//! The table in `types.txt` says for every list whether it is replaced as a whole, is a set, or holds items with keys, and
//! for every map whether it is replaced as a whole (`x-kubernetes-list-type`, `x-kubernetes-map-type`).

mod parse;
mod unknown;

pub(crate) use unknown::{drop_unknown_fields, unknown_fields};

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// How the items of a list are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// The list is one value.
    Atomic,
    /// The items are scalars, each at most once.
    Set,
    /// The items are maps, told apart by these fields.
    Keyed(Vec<String>),
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// A text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Anything: maps merge, lists are replaced.
    Any,
    /// A type of the table.
    Named(String),
    /// A map from free keys to one type.
    Map { atomic: bool, element: Box<Self> },
    /// A list.
    List { kind: ListKind, element: Box<Self> },
}

/// A struct of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Struct {
    /// Replaced as a whole.
    pub(crate) atomic: bool,
    /// Its fields by name.
    pub(crate) fields: BTreeMap<String, Type>,
}

impl Struct {
    /// The type of a field; `*` stands for those that have no name here.
    pub(crate) fn field(&self, name: &str) -> Option<&Type> {
        self.fields.get(name).or_else(|| self.fields.get("*"))
    }
}

/// What a type resolves to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape<'a> {
    /// A leaf that must be of this type (`Type::Any` excluded).
    Scalar(&'a Type),
    /// Anything.
    Any,
    /// A struct with named fields.
    Struct(&'a Struct),
    /// A map with free keys.
    Map { atomic: bool, element: &'a Type },
    /// A list.
    List {
        kind: &'a ListKind,
        element: &'a Type,
    },
}

#[derive(Debug, Default)]
struct Table {
    structs: BTreeMap<String, Struct>,
    aliases: BTreeMap<String, Type>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| parse::table(include_str!("types.txt")))
}

/// Follows names until the type has a shape.
pub(crate) fn resolve(ty: &Type) -> Shape<'_> {
    match ty {
        Type::Text | Type::Number | Type::Boolean => Shape::Scalar(ty),
        Type::Any => Shape::Any,
        Type::Map { atomic, element } => Shape::Map {
            atomic: *atomic,
            element,
        },
        Type::List { kind, element } => Shape::List { kind, element },
        Type::Named(name) => {
            if let Some(found) = table().structs.get(name) {
                Shape::Struct(found)
            } else if let Some(alias) = table().aliases.get(name) {
                resolve(alias)
            } else {
                Shape::Any
            }
        }
    }
}

/// The type of objects of a kind: `apps.v1.StatefulSet`; any other name accepts every field below a typed `metadata`.
pub(crate) fn type_of(name: &str) -> Type {
    if table().structs.contains_key(name) {
        Type::Named(name.to_owned())
    } else {
        Type::Named("custom".to_owned())
    }
}
