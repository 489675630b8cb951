//! The only user of `kube::Client`: everything that this program says to a cluster goes through
//! here. The crate `kubectl-config` finds the server as kubectl does, `request` sends one request under one policy for
//! deadlines, repetition and sizes, `verbs` are the requests that there are, and `replica` asks pods.

mod clock;
mod connect;
mod error;
mod hint;
mod replica;
mod request;
mod verbs;

pub use self::connect::Cluster;
pub use self::error::{ClusterError, FieldConflict};
pub use self::replica::conversation::{Beginning, Conversation};
pub use self::replica::forward::{AskError, Question};
pub use self::replica::pod_proxy::may_be_guessed;
pub use self::request::denial::Denial;
pub use self::request::sender::TimeLimits;
pub use self::verbs::deletion::{Deletion, Grace};
pub use self::verbs::discovery::{ResourceKind, ServedKinds};
pub use self::verbs::eviction::Eviction;
pub use self::verbs::exec::{CommandEnd, ExecError};
pub use self::verbs::logs::{LogOptions, LogStart};
pub use self::verbs::objects::ApplyMode;
pub use self::verbs::watch::{Selector, Sight, Watched};
