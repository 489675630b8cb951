//! Records the events of a run for its report files.

use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Event, EventKind};

/// The events of a run; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recording {
    /// Records an event, unless the run has ended: tasks that are shutting down may still emit some.
    pub fn keep(&self, event: &Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = matches!(
            events.last(),
            Some(Event {
                kind: EventKind::Finished(_),
                ..
            })
        );
        if !is_over {
            events.push(event.clone());
        }
    }

    /// Applies a function to all events so far.
    pub fn read<T>(&self, reading: impl FnOnce(&[Event]) -> T) -> T {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        reading(&events)
    }
}
