//! The promises of the client, each against a scripted server and on a paused clock.

mod absence;
mod liveness;
mod renewal;
mod repetition;
mod script;
mod watches;
