//! Asks the API server for a sign of life, for all that wait for it.
//!
//! The kernel of a frozen server acknowledges keepalives, and bookmarks come once a minute: only an
//! answer proves life. So whenever somebody waits and nothing has been received for a while, the
//! smallest question there is goes out, with a deadline of its own.

use std::time::Duration;

use http::{Request, Uri};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::error::ClusterError;
use super::exchange::Exchange;
use super::health::Health;

/// This long without a word is worth a question; with the answer's deadline it is less than ten
/// seconds, within which silence must be named.
const QUIET: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_secs(1);

/// The heartbeat of a run; it ends with it.
pub(crate) struct Heartbeat(JoinHandle<()>);

impl Heartbeat {
    pub(crate) fn start(exchange: Exchange, health: Health) -> Self {
        Self(tokio::spawn(beat(exchange, health)))
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn beat(exchange: Exchange, health: Health) {
    let mut waiters = health.waiters();
    while waiters.wait_for(|count| *count > 0).await.is_ok() {
        sleep_until(health.quiet_since() + QUIET).await;
        let is_quiet = health.quiet_since() + QUIET <= Instant::now();
        if !is_quiet || *waiters.borrow() == 0 {
            continue;
        }
        // Without credentials nothing can be asked, and whoever waits is told so.
        if exchange.log_in().await.is_err() {
            sleep(PAUSE).await;
            continue;
        }
        match prove_life(&exchange).await {
            Ok(()) => health.answered(),
            Err(error) => {
                health.unanswered(&error);
                exchange.reconnect();
                health.lose();
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
