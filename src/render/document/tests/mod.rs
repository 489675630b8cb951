//! Documents of recorded runs.

mod figures;
mod journal;
mod junit;
mod page;
mod schema;

use super::{Format, render};
use crate::event::Event;
use crate::render::terminal::tests::samples;

/// Every run that has documents, by name.
fn runs() -> Vec<(&'static str, Vec<Event>)> {
    let mut runs = samples::experiments();
    runs.extend([
        ("verify-ok", samples::verify_ok()),
        ("verify-disagreeing", samples::verify_disagreeing()),
        ("verify-watched", samples::verify_watched()),
    ]);
    runs
}
