//! The fields of an object: their paths, their managers, and the patterns that name them. Pure.

mod change;
mod choice;
mod choices;
mod conflict;
mod element;
mod hand_over;
mod lists;
mod manager;
mod merge;
mod migration;
mod overwritten;
mod owner;
mod ownership;
mod path;
mod pattern;
mod steering;
mod tree;
mod undeclared;

pub use self::change::{FieldAction, FieldChange, changes};
pub use self::choice::Choice;
pub use self::choices::{FieldChoices, LeftOut};
pub use self::conflict::{Conflict, OwnedAlone, Settlement, conflicts, share_equal_fields};
pub use self::hand_over::{drop_own, handed_over, owners_patch};
pub use self::lists::leaves;
pub use self::manager::{Manager, managers};
pub use self::merge::{merge, merged};
pub use self::migration::{Former, FormerManager, Migration, Moved, NotTakenOver, co_owners};
pub use self::overwritten::overwritten;
pub use self::owner::{EXPERIMENT_MANAGER, FIELD_MANAGER, Operation, Owner, ROLLOUT_MANAGER};
pub use self::ownership::Ownership;
pub use self::path::FieldPath;
pub use self::pattern::{BadPattern, FieldPattern};
pub use self::undeclared::{
    UndeclaredField, forget_addresses, forget_defaults, removals, undeclared,
};
