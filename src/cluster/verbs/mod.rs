//! What is said to the API server, a file for each kind of request.

mod access_review;
mod contents;
pub(crate) mod deletion;
pub(crate) mod discovery;
pub(crate) mod eviction;
pub(crate) mod exec;
mod lines;
mod list;
pub(crate) mod logs;
pub(crate) mod objects;
pub(crate) mod patch;
pub(crate) mod watch;
mod watch_line;
