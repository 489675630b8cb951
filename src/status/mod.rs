//! The state of an object: pure functions of the API server's data.
//!
//! Readiness follows the rules of each kind's own controller. A kind without known rules is "not
//! waited for", never "ready".

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
pub use self::container::{all_statuses, long_running, long_running_statuses};
pub use self::deletion::{held_by, is_being_deleted};
pub use self::mark::{
    CORDONED_FOR, SCALED_FROM, cordoned_for, is_cordoned, restore_command, scaled_by_experiment,
};
pub use self::network::shared_network;
pub use self::object::status_of;
pub use self::ownership::{Ownership, has_controller, is_owned_by};
pub use self::pod::{PodSummary, is_ready};
pub use self::revision::{
    Kept, KeptBecause, PAUSED, kept_because, next_revision, ordinals_that_move, partition, paused,
    revision_hash, revision_of,
};
pub use self::run::PodRun;
pub use self::snapshot::{Snapshot, expected_ordinals, pod_of};

/// The state of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Ready.
    Ready,
    /// In progress, or waiting for something.
    InProgress,
    /// It will not become ready without a change.
    Failed,
    /// There is no rule for this kind.
    NotWaitedFor,
}

/// The state of an object, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The state.
    pub state: State,
    /// Details in words; may be empty.
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
