//! What state an object is in: pure functions from what the API server says.
//!
//! Readiness follows the rules of each kind's own controller; where a kind has none that is known
//! here, the answer is "not waited for", never "ready".

mod change;
mod container;
mod deletion;
mod mark;
mod network;
mod object;
mod ownership;
mod pod;
mod revision;
mod run;
mod snapshot;

use serde::{Deserialize, Serialize};

pub use self::change::change_since;
pub use self::container::{long_running, long_running_statuses};
pub use self::deletion::{held_by, is_being_deleted};
pub use self::mark::{
    CORDONED_FOR, SCALED_FROM, cordoned_for, is_cordoned, restore_command, scaled_by_experiment,
};
pub use self::network::shared_network;
pub use self::object::status_of;
pub use self::ownership::{Ownership, is_owned_by};
pub use self::pod::{PodSummary, is_ready};
pub use self::revision::{
    Kept, KeptBecause, kept_because, next_revision, ordinals_that_move, revision_hash, revision_of,
};
pub use self::run::PodRun;
pub use self::snapshot::{Snapshot, expected_ordinals, pod_of};

/// How far an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is what it is meant to be.
    Ready,
    /// It is on its way, or waits for something.
    InProgress,
    /// It will not become ready by itself.
    Failed,
    /// There is no rule for this kind.
    NotWaitedFor,
}

/// The state of an object, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How far it is.
    pub state: State,
    /// In words; empty when there is nothing to add.
    pub message: String,
}

impl Status {
    fn ready(message: impl Into<String>) -> Self {
        Self {
            state: State::Ready,
            message: message.into(),
        }
    }

    fn in_progress(message: impl Into<String>) -> Self {
        Self {
            state: State::InProgress,
            message: message.into(),
        }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self {
            state: State::Failed,
            message: message.into(),
        }
    }
}
