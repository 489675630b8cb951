//! Reads `types.txt`.

use super::{ListKind, Struct, Table, Type};

/// The whole table; a line that does not parse is a mistake in the file.
pub(super) fn table(text: &str) -> Table {
    let mut table = Table::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(' ').unwrap();
        if let Some(alias) = rest.strip_prefix("= ") {
            table.aliases.insert(name.to_owned(), field_type(alias));
            continue;
        }
        let fields = rest
            .split(' ')
            .map(|field| field.split_once(':').unwrap())
            .map(|(field, ty)| (field.to_owned(), field_type(ty)))
            .collect();
        let atomic = name.ends_with('!');
        let name = name.trim_end_matches('!').to_owned();
        table.structs.insert(name, Struct { atomic, fields });
    }
    table
}

fn field_type(text: &str) -> Type {
    if let Some(element) = text.strip_prefix("{}") {
        return map(false, element);
    }
    if let Some(element) = text.strip_prefix("{!}") {
        return map(true, element);
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (keys, element) = rest.split_once(']').unwrap();
        let kind = match keys {
            "" => ListKind::Atomic,
            "=" => ListKind::Set,
            keys => ListKind::Keyed(keys.split(',').map(str::to_owned).collect()),
        };
        return Type::List {
            kind,
            element: Box::new(field_type(element)),
        };
    }
    match text {
        "string" => Type::Text,
        "number" => Type::Number,
        "boolean" => Type::Boolean,
        "any" => Type::Any,
        name => Type::Named(name.to_owned()),
    }
}

fn map(atomic: bool, element: &str) -> Type {
    Type::Map {
        atomic,
        element: Box::new(field_type(element)),
    }
}
