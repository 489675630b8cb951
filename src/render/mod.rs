//! Shows what happens: events in, rows on a terminal or the text of a file out. Nothing here decides
//! whether a run succeeded; it only says what events and reports say.

pub mod document;
mod json;
mod phases;
pub mod terminal;
