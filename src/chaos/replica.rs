//! One replica that is probed: it answers right if it does so at every endpoint.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::judge::Judgement;
use super::probe::{Probe, Probed};
use super::record::{Record, Sample};
use crate::report::ProbeState;
use crate::status::PodRun;

/// A replica, with one probe for each endpoint at which all replicas answer alike.
pub(super) struct Replica {
    pub(super) pod: String,
    pub(super) probes: Vec<Probe>,
    pub(super) record: Arc<Record>,
    pub(super) interval: Duration,
}

impl Replica {
    /// Probes forever.
    pub(super) async fn probe(mut self) {
        let mut next = Instant::now();
        loop {
            sleep_until(next).await;
            let began_ms = self.record.now_ms();
            let run = self.probes.first().and_then(Probe::run);
            if let Some(Probed { judgement, took_ms }) = self.sample(run.as_ref()).await {
                let times = (began_ms, self.record.now_ms());
                let sample = Sample::new(judgement, run, times, took_ms);
                self.record.add(&self.pod, sample);
            }
            // A probe that came due during a long one is skipped.
            next = (next + self.interval).max(Instant::now());
        }
    }

    /// Probes one endpoint after the other, up to one that does not answer: the next ones would only add
    /// their own timeouts. The worst answer counts.
    async fn sample(&mut self, run: Option<&PodRun>) -> Option<Probed> {
        let mut worst: Option<Probed> = None;
        for probe in &mut self.probes {
            let probed = probe.once(run).await;
            let is_unanswered = matches!(
                probed.judgement.state,
                ProbeState::Silent | ProbeState::Unknown
            );
            worst = Some(match worst {
                Some(worst) => worse(worst, probed),
                None => probed,
            });
            if is_unanswered {
                break;
            }
        }
        worst
    }
}

/// The worse of two answers, with the longer of their times.
fn worse(one: Probed, other: Probed) -> Probed {
    let took_ms = one.took_ms.max(other.took_ms);
    let is_worse = severity(&other.judgement) > severity(&one.judgement);
    let judgement = if is_worse { other } else { one }.judgement;
    Probed { judgement, took_ms }
}

/// A wrong answer outweighs an error, an error a missing answer, and that one an unknown answer.
fn severity(judgement: &Judgement) -> u8 {
    match judgement.state {
        ProbeState::Right => 0,
        ProbeState::Unknown => 1,
        ProbeState::Silent => 2,
        ProbeState::Failing => 3,
        ProbeState::Wrong => 4,
    }
}
