//! Renders events as lines. Nothing here decides whether a run succeeded; events and reports do.

mod bars;
mod breaks;
mod clock;
mod display;
mod heartbeat;
mod ledger;
mod line;
mod live_experiment;
mod picture;
mod replicas;
mod table;
mod text;

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

pub(crate) use self::breaks::broken;
pub use self::display::{Circumstances, Display, OutputFormat, Progress, Terminal};

use self::bars::Bars;
use self::clock::Clock;
use self::heartbeat::Heartbeat;
use self::line::{Level, Line};
use self::picture::{Frame, Picture};
use self::text::Text;
use crate::emitter::Events;
use crate::event::{Event, EventKind};
use crate::figures::milliseconds;
use crate::render::json;
use crate::ui::{OutputError, Stream, Ui};

/// At most this many events are rendered together, so that many log lines need few writes.
const BATCH: usize = 256;

/// Renders events on a thread of its own until the last one, so that a stalled reader of the output,
/// such as a pager, blocks neither the work nor Ctrl-C.
///
/// Await the handle after the last event was sent and before the process ends.
///
/// # Panics
/// Outside of a tokio runtime.
#[must_use]
pub fn spawn(display: Display, ui: Ui, events: Events) -> JoinHandle<Result<(), OutputError>> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(run(display, ui, events)))
}

/// Renders events until the last one, or until their sender is dropped.
///
/// # Errors
/// If standard output is closed or cannot be written; the remaining events are not rendered.
pub async fn run(display: Display, ui: Ui, mut events: Events) -> Result<(), OutputError> {
    let mut renderer = Renderer::new(display, ui);
    let mut batch = Vec::new();
    let mut ticks = interval(bars::PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            count = events.receive(&mut batch, BATCH) => {
                let end = batch.iter().position(is_last);
                batch.truncate(end.map_or(count, |end| end + 1));
                renderer.render(&batch)?;
                if count == 0 || end.is_some() {
                    return Ok(());
                }
                batch.clear();
            }
            _ = ticks.tick(), if renderer.ticks() => renderer.tick()?,
        }
    }
}

/// A recorded run as plain text, including its data.
#[must_use]
pub fn render_to_text(events: &[Event], width: usize, with_colour: bool) -> String {
    shown_as(Display::Plain, events, width, with_colour)
}

fn shown_as(display: Display, events: &[Event], width: usize, with_colour: bool) -> String {
    let mut text = Text::default();
    events
        .iter()
        .flat_map(|event| text.lines(event, width))
        .filter(|line| shows(display, line))
        .flat_map(|line| line.wrapped(width))
        .map(|line| line.render(with_colour) + "\n")
        .collect()
}

/// The terminal after the last of these events: the text so far, and the live rows below it.
#[must_use]
pub fn live_view(events: &[Event], width: usize, with_colour: bool) -> String {
    let mut picture = Picture::default();
    for event in events {
        picture.record(event);
    }
    let rows = events.last().map(|last| {
        picture.rows(&Frame {
            now: last.time,
            elapsed: Duration::from_millis(last.elapsed_ms),
            width,
            height: usize::MAX,
        })
    });
    let rows = rows.unwrap_or_default();
    let rows = rows.iter().map(|line| line.render(with_colour) + "\n");
    shown_as(Display::Bars, events, width, with_colour) + &rows.collect::<String>()
}

/// Whether a display shows a line. Text does not repeat what live rows show.
fn shows(display: Display, line: &Line) -> bool {
    match display {
        Display::Plain => true,
        Display::Bars => line.level >= Level::Progress,
        Display::Results => line.level >= Level::Result,
        Display::Quiet => line.stream == Stream::Stdout || line.level >= Level::Problem,
        Display::Json => line.stream == Stream::Stderr && line.level >= Level::Problem,
    }
}

/// Whether this event ends the run; tasks that are shutting down may still emit some.
fn is_last(event: &Event) -> bool {
    matches!(event.kind, EventKind::Finished(_))
}

struct Renderer {
    display: Display,
    ui: Ui,
    text: Text,
    bars: Option<Bars>,
    heartbeat: Option<(Heartbeat, Clock)>,
}

impl Renderer {
    fn new(display: Display, ui: Ui) -> Self {
        let bars = (display == Display::Bars).then(|| Bars::new(ui.clone()));
        let heartbeat = (display == Display::Plain).then(Default::default);
        Self {
            display,
            ui,
            text: Text::default(),
            bars,
            heartbeat,
        }
    }

    /// Whether the display changes without new events.
    fn ticks(&self) -> bool {
        self.bars.is_some() || self.heartbeat.is_some()
    }

    fn tick(&mut self) -> Result<(), OutputError> {
        if let Some(bars) = &mut self.bars {
            bars.draw()?;
        }
        if let Some((heartbeat, clock)) = &mut self.heartbeat {
            let mut chunks = Chunks::default();
            for line in heartbeat.lines(milliseconds(clock.elapsed())) {
                chunks.push_line(line, &self.ui);
            }
            chunks.write(&self.ui)?;
        }
        Ok(())
    }

    fn render(&mut self, events: &[Event]) -> Result<(), OutputError> {
        let width = self.ui.width();
        if self.ui.has_consent() {
            self.text.plan_is_told();
        }
        let mut chunks = Chunks::default();
        for event in events {
            if let Some(bars) = &mut self.bars {
                bars.record(event);
            }
            if let Some((heartbeat, clock)) = &mut self.heartbeat {
                heartbeat.record(event);
                clock.record(event);
            }
            if self.display == Display::Json {
                let line = json::line(event).map_err(|error| OutputError::Failed(error.into()))?;
                chunks.push(Stream::Stdout, &line);
            }
            for line in self.text.lines(event, width) {
                if shows(self.display, &line) {
                    chunks.push_line(line, &self.ui);
                    if let Some((heartbeat, _)) = &mut self.heartbeat {
                        heartbeat.said(event.elapsed_ms);
                    }
                }
            }
        }
        let is_over = events.iter().any(is_last);
        match self.bars.take_if(|_| is_over) {
            Some(bars) => bars.end(chunks),
            None => match &mut self.bars {
                Some(bars) => bars.say(chunks),
                None => chunks.write(&self.ui),
            },
        }
    }
}

/// Text for the two streams in order, with as few writes as the order allows.
#[derive(Debug, Default)]
struct Chunks(Vec<(Stream, String)>);

impl Chunks {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a line, broken to the width of the terminal.
    fn push_line(&mut self, line: Line, ui: &Ui) {
        for line in line.wrapped(ui.width()) {
            let text = line.render(ui.has_colour(line.stream)) + "\n";
            self.push(line.stream, &text);
        }
    }

    fn append(&mut self, other: Self) {
        for (stream, text) in other.0 {
            self.push(stream, &text);
        }
    }

    fn push(&mut self, stream: Stream, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some((last, chunk)) if *last == stream => chunk.push_str(text),
            _ => self.0.push((stream, text.to_owned())),
        }
    }

    fn write(&self, ui: &Ui) -> Result<(), OutputError> {
        for (stream, text) in &self.0 {
            match stream {
                Stream::Stdout => ui.write_output(text)?,
                Stream::Stderr => ui.write_errors(text),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
