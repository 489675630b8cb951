//! The only user of `kube::Client`: everything that this program says to a cluster goes through
//! here, under one policy for deadlines, repetition and sizes (see `sender`).

mod access;
mod address;
mod clock;
mod connect;
mod connection;
mod contents;
mod conversation;
mod decode;
mod deletion;
mod denial;
mod discovery;
mod error;
mod eviction;
mod exchange;
mod exec;
mod failure;
mod forward;
mod health;
mod heartbeat;
mod identity;
mod jitter;
mod kubeconfig;
mod lines;
mod list;
mod login;
mod logs;
mod objects;
mod patch;
mod pod_proxy;
mod reading;
mod refusal;
mod sender;
mod transport;
mod warning;
mod watch;
mod watch_line;
mod wire;

pub use self::connect::Cluster;
pub use self::connection::{
    ConnectionSettings, Environment, Impersonation, Kuberc, Overrides, TimeLimits,
};
pub use self::conversation::{Beginning, Conversation};
pub use self::deletion::{Deletion, Grace};
pub use self::denial::Denial;
pub use self::discovery::{ResourceKind, ServedKinds};
pub use self::error::{ClusterError, FieldConflict};
pub use self::eviction::Eviction;
pub use self::exec::{CommandEnd, ExecError};
pub use self::forward::{AskError, Question};
pub use self::logs::{LogOptions, LogStart};
pub use self::objects::{ApplyMode, FIELD_MANAGER};
pub use self::patch::EXPERIMENT_MANAGER;
pub use self::pod_proxy::may_be_guessed;
pub use self::watch::{Selector, Sight, Watched};
