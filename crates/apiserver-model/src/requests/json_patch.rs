//! JSON patches (RFC 6902), without `move` and `copy`.

use http::StatusCode;
use serde_json::Value;

use crate::failure::Failure;

/// Executes the operations one after the other.
pub(super) fn patch(object: &mut Value, operations: &[Value]) -> Result<(), Failure> {
    for operation in operations {
        let done = match operation["op"].as_str() {
            Some("test") => test(object, operation),
            Some("add") => add(object, operation),
            Some("remove") => remove(object, operation).map(drop),
            Some("replace") => replace(object, operation),
            _ => return Err(Failure::bad_request("unknown operation in a JSON patch")),
        };
        if done.is_none() {
            return Err(rejected());
        }
    }
    Ok(())
}

/// What the API server says of a patch that does not fit the object (apiserver,
/// pkg/endpoints/handlers/patch.go, `applyJSPatch`).
fn rejected() -> Failure {
    let message = "the server rejected our request due to an error in our request";
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "Invalid",
        message,
        Value::Null,
    )
}

fn test(object: &Value, operation: &Value) -> Option<()> {
    let found = object.pointer(operation["path"].as_str()?)?;
    (*found == operation["value"]).then_some(())
}

fn replace(object: &mut Value, operation: &Value) -> Option<()> {
    *object.pointer_mut(operation["path"].as_str()?)? = operation["value"].clone();
    Some(())
}

fn add(object: &mut Value, operation: &Value) -> Option<()> {
    let (parent, last) = place(object, operation)?;
    let value = operation["value"].clone();
    match parent {
        Value::Object(fields) => drop(fields.insert(last, value)),
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let place = last.parse().ok().filter(|place| *place <= items.len())?;
            items.insert(place, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(object: &mut Value, operation: &Value) -> Option<Value> {
    let (parent, last) = place(object, operation)?;
    match parent {
        Value::Object(fields) => fields.shift_remove(&last),
        Value::Array(items) => {
            let place = last.parse().ok().filter(|place| *place < items.len())?;
            Some(items.remove(place))
        }
        _ => None,
    }
}

/// The value that contains the one at the path, and its name or place there.
fn place<'a>(object: &'a mut Value, operation: &Value) -> Option<(&'a mut Value, String)> {
    let (parent, last) = operation["path"].as_str()?.rsplit_once('/')?;
    let last = last.replace("~1", "/").replace("~0", "~");
    Some((object.pointer_mut(parent)?, last))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_follow_each_other() {
        let mut object = json!({"a/b": {"list": [1, 2, 3]}, "version": "7"});
        let operations = [
            json!({"op": "test", "path": "/version", "value": "7"}),
            json!({"op": "remove", "path": "/a~1b/list/2"}),
            json!({"op": "remove", "path": "/a~1b/list/0"}),
            json!({"op": "add", "path": "/a~1b/list/-", "value": 4}),
            json!({"op": "add", "path": "/new", "value": true}),
            json!({"op": "replace", "path": "/version", "value": "8"}),
        ];
        assert!(patch(&mut object, &operations).is_ok());
        assert_eq!(
            object,
            json!({"a/b": {"list": [2, 4]}, "version": "8", "new": true})
        );
    }

    #[test]
    fn what_does_not_fit_is_rejected() {
        for operation in [
            json!({"op": "test", "path": "/a", "value": 2}),
            json!({"op": "remove", "path": "/b"}),
            json!({"op": "replace", "path": "/b", "value": 1}),
            json!({"op": "add", "path": "/b/c", "value": 1}),
            json!({"op": "move", "path": "/a", "from": "/b"}),
        ] {
            let refused = patch(&mut json!({"a": 1}), std::slice::from_ref(&operation));
            assert!(refused.is_err(), "{operation}");
        }
    }
}
