//! The events of a write: that it started, and always how it ended.

use super::Context;
use crate::action::Action;
use crate::cluster::ClusterError;
use crate::event::{EventKind, WriteResult};
use crate::object::ObjectRef;

/// How often a write that names a version is tried, each time with a later one.
pub(crate) const ATTEMPTS: u32 = 5;

/// A write that was announced. If it is dropped before its end, by a deadline for example, its
/// outcome is unknown.
#[must_use]
pub(crate) struct Write<'a> {
    context: &'a Context,
    object: ObjectRef,
    action: Action,
    is_open: bool,
}

impl<'a> Write<'a> {
    /// Reports that a write is about to be sent.
    pub(crate) fn start(context: &'a Context, object: &ObjectRef, action: Action) -> Self {
        context.emit(EventKind::WriteStarted {
            object: object.clone(),
            action,
        });
        Self {
            context,
            object: object.clone(),
            action,
            is_open: true,
        }
    }

    /// Reports how it ended.
    pub(crate) fn finish(mut self, error: Option<&ClusterError>) {
        let result = match error {
            None => WriteResult::Done,
            Some(error) if error.outcome_is_unknown() => WriteResult::Unknown {
                reason: error.to_string(),
            },
            Some(error) => WriteResult::Refused {
                reason: error.to_string(),
            },
        };
        self.end(result);
    }

    fn end(&mut self, result: WriteResult) {
        self.is_open = false;
        self.context.emit(EventKind::WriteFinished {
            object: self.object.clone(),
            action: self.action,
            result,
        });
    }
}

impl Drop for Write<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let reason = "the run ended before its answer came".to_owned();
            self.end(WriteResult::Unknown { reason });
        }
    }
}
