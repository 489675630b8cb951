//! Sends events from the work to the renderer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use crate::address::Address;
use crate::event::{Event, EventKind};
use crate::figures::milliseconds;
use crate::recording::Recording;

/// How many bytes of log lines may be queued for the renderer before [`Emitter::send_when_read`] waits.
const BACKLOG: u32 = 2 << 20;

/// Stamps events and sends them to the renderer.
#[derive(Debug, Clone)]
pub struct Emitter {
    sender: mpsc::UnboundedSender<Event>,
    room: Arc<Semaphore>,
    started: Instant,
    recording: Option<Recording>,
    address: Address,
}

impl Emitter {
    /// A new clock, and the receiver of its events.
    #[must_use]
    pub fn new() -> (Self, Events) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(BACKLOG as usize));
        let events = Events {
            receiver,
            room: Arc::clone(&room),
        };
        (
            Self {
                sender,
                room,
                started: Instant::now(),
                recording: None,
                address: Address::default(),
            },
            events,
        )
    }

    /// The same clock; commands in its texts get the flags of this address.
    #[must_use]
    pub fn addressed(self, address: Address) -> Self {
        Self { address, ..self }
    }

    /// Adds the flags of the address to the commands in a text that is shown outside of events.
    #[must_use]
    pub fn completed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.address.complete_text(&mut text);
        text
    }

    /// The same clock; every event is recorded from now on.
    #[must_use]
    pub fn recorded(self, recording: Recording) -> Self {
        Self {
            recording: Some(recording),
            ..self
        }
    }

    /// Milliseconds since the start of the run.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        milliseconds(self.started.elapsed())
    }

    /// Sends an event; the work continues even if the renderer is gone.
    pub fn send(&self, mut kind: EventKind) {
        self.address.complete(&mut kind);
        let event = Event {
            time: Timestamp::now(),
            elapsed_ms: self.elapsed_ms(),
            kind,
        };
        if let Some(recording) = &self.recording {
            recording.keep(&event);
        }
        // The receiver is dropped only at the end of the run.
        let _ = self.sender.send(event);
    }

    /// Sends a log line once there is room for it, because a log may be endless and its reader slow.
    pub async fn send_when_read(&self, kind: EventKind) {
        if let Ok(room) = self.room.acquire_many(size(&kind)).await {
            room.forget();
            self.send(kind);
        }
    }
}

/// The events of a run, as they arrive.
#[derive(Debug)]
pub struct Events {
    receiver: mpsc::UnboundedReceiver<Event>,
    room: Arc<Semaphore>,
}

impl Events {
    /// The events of a finished run.
    pub fn recorded(events: impl IntoIterator<Item = Event>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        for event in events {
            // The receiver exists.
            let _ = sender.send(event);
        }
        Self {
            receiver,
            room: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits for events and appends up to `most` of them; returns their number, 0 at the end.
    pub async fn receive(&mut self, batch: &mut Vec<Event>, most: usize) -> usize {
        let count = self.receiver.recv_many(batch, most).await;
        let arrived = batch.iter().rev().take(count);
        let sizes = arrived.map(|event| size(&event.kind) as usize);
        self.room.add_permits(sizes.sum());
        count
    }
}

/// The size of a log line in the backlog; other events do not count, because their number is limited.
fn size(kind: &EventKind) -> u32 {
    match kind {
        EventKind::LogLine { line, .. } => {
            let size = line.len() + size_of::<Event>();
            u32::try_from(size).unwrap_or(BACKLOG).min(BACKLOG)
        }
        _ => 0,
    }
}
