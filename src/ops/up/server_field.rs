//! Fields that only the API server writes, in a manifest exported with `kubectl get -o yaml`.

use std::fmt;

use serde_json::Value;

use crate::cluster::ClusterError;

/// A field that only the API server writes and that makes an apply fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerField {
    /// `metadata.managedFields`, which no apply may set.
    ManagedFields,
    /// `metadata.resourceVersion`: the manifest is for another version of the object.
    ResourceVersion {
        /// The version in the manifest.
        ours: String,
        /// The live object's, if it exists.
        live: Option<String>,
    },
    /// `metadata.uid`: the manifest is for another object of this name.
    Uid {
        /// The UID in the manifest.
        ours: String,
        /// The live object's, if it exists.
        live: Option<String>,
    },
}

impl ServerField {
    /// The field that caused a refusal, if it is one of these.
    pub(crate) fn in_the_way(
        ours: &Value,
        live: Option<&Value>,
        refusal: &ClusterError,
    ) -> Option<Self> {
        let written = |object: &Value, field: &str| {
            let value = object["metadata"][field].as_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        let differs = |field: &str| {
            let ours = written(ours, field)?;
            let live = live.and_then(|live| written(live, field));
            (live.as_ref() != Some(&ours)).then_some((ours, live))
        };
        let uid = || differs("uid").map(|(ours, live)| Self::Uid { ours, live });
        let version = || {
            let (ours, live) = differs("resourceVersion")?;
            Some(Self::ResourceVersion { ours, live })
        };
        match refusal {
            // A problem with any other field comes first.
            refusal if refusal.is_about_fields() => match refusal {
                ClusterError::Refused { fields, .. } => {
                    let is_about = |path: &str| fields.iter().any(|field| field == path);
                    let uid = is_about("metadata.uid").then(uid).flatten();
                    uid.or_else(|| is_about("metadata.resourceVersion").then(version).flatten())
                }
                _ => None,
            },
            ClusterError::Refused { code: 400, .. } => {
                let is_managed = !ours["metadata"]["managedFields"].is_null();
                let is_new = live.is_none();
                let managed = is_managed.then_some(Self::ManagedFields);
                managed.or_else(|| is_new.then(version).flatten())
            }
            ClusterError::Conflict { .. } => uid().or_else(version),
            _ => None,
        }
    }

    /// Its path in the manifest.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self {
            Self::ManagedFields => "metadata.managedFields",
            Self::ResourceVersion { .. } => "metadata.resourceVersion",
            Self::Uid { .. } => "metadata.uid",
        }
    }
}

impl fmt::Display for ServerField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        match self {
            Self::ManagedFields => write!(
                formatter,
                "the manifest has `{path}`, which only the API server writes"
            ),
            Self::ResourceVersion { ours, live } => {
                write!(
                    formatter,
                    "version conflict: the manifest has `{path}` `{ours}`, "
                )?;
                match live {
                    Some(live) => write!(formatter, "but the object has `{live}`"),
                    None => formatter.write_str("but the object does not exist"),
                }
            }
            Self::Uid { ours, live } => {
                write!(
                    formatter,
                    "the manifest is for another object: it has `{path}` `{ours}`, "
                )?;
                match live {
                    Some(live) => write!(formatter, "but the object of this name has `{live}`"),
                    None => formatter.write_str("but no object of this name exists"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn conflict() -> ClusterError {
        ClusterError::Conflict {
            message: "Operation cannot be fulfilled".to_owned(),
        }
    }

    #[test]
    fn a_conflict_is_about_the_field_that_differs() {
        let live = json!({"metadata": {"uid": "a", "resourceVersion": "7"}});
        let field = |ours: Value, live| ServerField::in_the_way(&ours, live, &conflict());
        let old = json!({"metadata": {"uid": "a", "resourceVersion": "1"}});
        let said = field(old.clone(), Some(&live)).unwrap().to_string();
        assert!(
            said.starts_with("version conflict") && said.contains("`7`"),
            "{said}"
        );
        let said = field(old, None).unwrap();
        assert_eq!(said.path(), "metadata.uid");
        let foreign = json!({"metadata": {"uid": "b"}});
        assert_eq!(field(foreign, Some(&live)).unwrap().path(), "metadata.uid");
        assert_eq!(field(json!({"metadata": {}}), Some(&live)), None);
    }

    #[test]
    fn another_refusal_is_not_taken_for_one_about_managed_fields() {
        let ours = json!({"metadata": {"managedFields": []}});
        let refusal = |code| ClusterError::Refused {
            code,
            reason: String::new(),
            message: String::new(),
            fields: Vec::new(),
            retry_after: None,
        };
        let field = |code| ServerField::in_the_way(&ours, None, &refusal(code));
        assert_eq!(field(400), Some(ServerField::ManagedFields));
        assert_eq!(field(500), None);
    }
}
