//! The fields of an object: their paths, their managers, and the patterns that name them. Pure.

mod choices;
mod conflict;
mod manager;
mod path;
mod pattern;

pub use self::choices::{FieldChoices, LeftOut, conflicts, share_equal_fields};
pub use self::conflict::{Conflict, Operation, OwnedAlone, Settlement};
pub use self::manager::{EXPERIMENT_MANAGER, FIELD_MANAGER, Manager, managers};
pub use self::path::FieldPath;
pub use self::pattern::{BadPattern, FieldPattern};
