//! Keeps the events of a run, for the report files that are made of them after the last one.

use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Event, EventKind};

/// The events of a run; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recording {
    /// Keeps an event, unless the run is over: tasks that are being ended may still say something.
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

    /// What comes of every event so far.
    pub fn read<T>(&self, reading: impl FnOnce(&[Event]) -> T) -> T {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        reading(&events)
    }
}
