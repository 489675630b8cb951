//! Refusals as `metav1.Status` (apimachinery, pkg/api/errors/errors.go).

use http::StatusCode;
use serde_json::{Value, json};

use super::kinds::Kind;

/// A refused request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// The HTTP status.
    pub(crate) code: StatusCode,
    /// The `Status` body.
    pub(crate) body: Value,
}

/// One problem of an invalid object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The field.
    pub(crate) field: String,
    /// `FieldValueInvalid`, `FieldValueRequired` …
    pub(crate) reason: &'static str,
    /// The text behind the field.
    pub(crate) message: String,
}

impl Problem {
    /// `field.Forbidden`.
    pub(crate) fn forbidden(field: &str, message: &str) -> Self {
        Self {
            field: field.into(),
            reason: "FieldValueForbidden",
            message: format!("Forbidden: {message}"),
        }
    }

    /// `field.Required`.
    pub(crate) fn required(field: &str, message: &str) -> Self {
        let message = if message.is_empty() {
            "Required value".into()
        } else {
            format!("Required value: {message}")
        };
        Self {
            field: field.into(),
            reason: "FieldValueRequired",
            message,
        }
    }

    /// `field.Invalid`.
    pub(crate) fn invalid(field: &str, value: &Value, message: &str) -> Self {
        let message = format!("Invalid value: {value}: {message}");
        Self {
            field: field.into(),
            reason: "FieldValueInvalid",
            message,
        }
    }
}

impl Failure {
    /// A refusal with its reason.
    pub(crate) fn new(
        code: StatusCode,
        reason: &str,
        message: impl Into<String>,
        details: Value,
    ) -> Self {
        let message: String = message.into();
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason,
        });
        if !details.is_null() {
            body["details"] = details;
        }
        body["code"] = code.as_u16().into();
        Self { code, body }
    }

    /// The path leads nowhere.
    pub(crate) fn no_such_path() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message, json!({}))
    }

    /// No object of that name.
    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} not found", kind.qualified());
        Self::new(
            StatusCode::NOT_FOUND,
            "NotFound",
            message,
            kind.details(name),
        )
    }

    /// The name is taken.
    pub(crate) fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", kind.qualified());
        Self::new(
            StatusCode::CONFLICT,
            "AlreadyExists",
            message,
            kind.details(name),
        )
    }

    /// A precondition does not hold.
    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            kind.qualified()
        );
        Self::new(
            StatusCode::CONFLICT,
            "Conflict",
            message,
            kind.details(name),
        )
    }

    /// A precondition of a deletion does not hold: here the kind is named, not the resource
    /// (apiserver, pkg/registry/rest/delete.go).
    pub(crate) fn deletion_conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let mut failure = Self::conflict(kind, name, why);
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            kind.qualified_kind()
        );
        failure.body["message"] = message.into();
        failure.body["details"]["kind"] = kind.name.as_str().into();
        failure
    }

    /// Someone else wrote in between (apiserver, registry/generic/registry/store.go, `OptimisticLockErrorMsg`).
    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    /// The object breaks rules.
    pub(crate) fn invalid(kind: &Kind, name: &str, problems: &[Problem]) -> Self {
        let texts: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.field, problem.message))
            .collect();
        let all = if let [only] = texts.as_slice() {
            only.clone()
        } else {
            format!("[{}]", texts.join(", "))
        };
        let qualified = kind.qualified_kind();
        let mut details = json!({ "name": name, "group": kind.group, "kind": kind.name });
        details
            .as_object_mut()
            .unwrap()
            .retain(|_, value| value != "");
        details["causes"] = problems
            .iter()
            .map(|problem| json!({ "reason": problem.reason, "message": problem.message, "field": problem.field }))
            .collect();
        let message = format!("{qualified} {name:?} is invalid: {all}");
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid",
            message,
            details,
        )
    }

    /// An admission plugin refuses.
    pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let name_part = if name.is_empty() {
            String::new()
        } else {
            format!(" {name:?}")
        };
        let message = format!("{}{name_part} is forbidden: {why}", kind.qualified());
        Self::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            message,
            kind.details(name),
        )
    }

    /// The request makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message, Value::Null)
    }

    /// An unknown or missing token.
    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "Unauthorized",
            "Unauthorized",
            Value::Null,
        )
    }

    /// A resourceVersion that is compacted.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "Expired", message, Value::Null)
    }

    /// The resource cannot do that.
    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            message,
            json!({}),
        )
    }

    /// A body in a form that the endpoint does not read.
    pub(crate) fn unsupported_media_type() -> Self {
        let message = "415: Unsupported Media Type";
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            message,
            json!({}),
        )
    }

    /// What stands behind the server cannot be reached.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            message,
            Value::Null,
        )
    }

    /// Something broke inside.
    pub(crate) fn internal(message: &str) -> Self {
        let details = json!({ "causes": [{ "message": message }] });
        let message = format!("Internal error occurred: {message}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            message,
            details,
        )
    }
}
