//! What is done to an object.

use serde::{Deserialize, Serialize};

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It does not exist and will be created.
    Create,
    /// It exists and will be changed.
    Change,
    /// It exists, and a new one takes its place: the API server does not let it change.
    Replace,
    /// Its values stay the same; this tool becomes an owner of their fields.
    Own,
    /// Its values stay the same; this tool gives up the ownership of some of their fields.
    Release,
    /// It stays as it is.
    Keep,
    /// It will be deleted.
    Delete,
}
