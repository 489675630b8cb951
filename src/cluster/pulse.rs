//! Whether the API server still lives, for all that wait for it.
//!
//! The kernel of a frozen server acknowledges keepalives, and bookmarks come once a minute: only an
//! answer proves life. So whenever somebody waits and nothing has been heard for a while, the
//! smallest question there is goes out, with a deadline of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Uri};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::error::ClusterError;
use super::exchange::Exchange;
use super::link::Link;

/// This long without a word is worth a question; with the answer's deadline it is less than ten
/// seconds, within which silence must be named.
const QUIET: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_secs(1);

/// The heartbeat of a run; it ends with it.
pub(super) struct Pulse {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    heard: Mutex<Instant>,
    waiting: watch::Sender<usize>,
    losses: watch::Sender<u64>,
}

/// Somebody waits for the server as long as this lives.
pub(super) struct Waiting(Arc<Shared>);

impl Pulse {
    pub(super) fn start(exchange: Exchange, link: Link) -> Self {
        let shared = Arc::new(Shared {
            heard: Mutex::new(Instant::now()),
            waiting: watch::Sender::new(0),
            losses: watch::Sender::new(0),
        });
        let task = tokio::spawn(beat(exchange, link, Arc::clone(&shared)));
        Self { shared, task }
    }

    /// Something came from the server.
    pub(super) fn heard(&self) {
        self.shared.hear();
    }

    /// From now on somebody waits.
    pub(super) fn waiting(&self) -> Waiting {
        self.shared.waiting.send_modify(|count| {
            if *count == 0 {
                self.shared.hear();
            }
            *count += 1;
        });
        Waiting(Arc::clone(&self.shared))
    }

    /// Changes whenever the server has failed to prove that it lives: streams from before may be
    /// dead at one end.
    pub(super) fn losses(&self) -> watch::Receiver<u64> {
        self.shared.losses.subscribe()
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|count| *count -= 1);
    }
}

impl Shared {
    fn hear(&self) {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silent_since(&self) -> Instant {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn beat(exchange: Exchange, link: Link, shared: Arc<Shared>) {
    let mut waiting = shared.waiting.subscribe();
    while waiting.wait_for(|count| *count > 0).await.is_ok() {
        let due = shared.silent_since() + QUIET;
        sleep_until(due).await;
        let is_quiet = shared.silent_since() + QUIET <= Instant::now();
        if !is_quiet || *shared.waiting.borrow() == 0 {
            continue;
        }
        // Without credentials nothing can be asked, and whoever waits is told so.
        if exchange.log_in().await.is_err() {
            sleep(PAUSE).await;
            continue;
        }
        match prove_life(&exchange).await {
            Ok(()) => {
                shared.hear();
                link.answered();
            }
            Err(error) => {
                link.silent(&error);
                exchange.reconnect();
                shared.losses.send_modify(|count| *count += 1);
                sleep(PAUSE).await;
            }
        }
    }
}

async fn prove_life(exchange: &Exchange) -> Result<(), ClusterError> {
    let mut request = Request::new(Vec::new());
    *request.uri_mut() = Uri::from_static("/version");
    match timeout(DEADLINE, exchange.once(request)).await {
        // A refusal is an answer too, and so is that it has too much to do.
        Ok(Err(error)) if !error.is_an_answer() => Err(error),
        Ok(_) => Ok(()),
        Err(_) => Err(exchange.timed_out(DEADLINE)),
    }
}
