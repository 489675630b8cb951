//! The fields of an object: their paths, their managers, and the patterns that name them. Pure.

mod choices;
mod conflict;
mod manager;
mod path;
mod pattern;

pub use self::choices::{FieldChoices, OwnedAlone, conflicts, share_equal_fields};
pub use self::conflict::{Conflict, Operation, Settlement};
pub use self::manager::{Manager, managers};
pub use self::path::FieldPath;
pub use self::pattern::{BadPattern, FieldPattern};
