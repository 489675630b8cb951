//! What the client promises, each against a server in the test's own words and on a paused clock.

mod absence;
mod liveness;
mod renewal;
mod repetition;
mod script;
mod watches;
