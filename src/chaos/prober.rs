//! Probes every replica independently, so that a hanging replica never delays the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::judge::{Judge, KnownContent};
use super::probe::{Probe, Probing, Right};
use super::record::{Record, Sample, Seen};
use super::replica::Replica;
use super::template::Templates;
use crate::cluster::{Cluster, Sight};
use crate::emitter::Emitter;
use crate::event::EventKind;
use crate::report::{Availability, ProbeState};
use crate::timeline::Outage;

/// How often the number of probes is reported.
const TALLY: Duration = Duration::from_secs(1);
/// Probes until it is dropped.
pub(super) struct Prober {
    record: Arc<Record>,
    tasks: Vec<JoinHandle<()>>,
}

impl Prober {
    /// Starts to probe these replicas.
    pub(super) fn start(
        cluster: &Cluster,
        emitter: &Emitter,
        pods: &Sight<Pod>,
        templates: &Templates,
        interval: Duration,
        endpoints: Vec<(Probing, Vec<Right>)>,
    ) -> Self {
        let mut names: Vec<String> = Vec::new();
        for right in endpoints.iter().flat_map(|(_, right)| right) {
            if !names.contains(&right.pod) {
                names.push(right.pod.clone());
            }
        }
        let record = Arc::new(Record::of(emitter.clone(), &names, interval));
        let mut probes: BTreeMap<String, Vec<Probe>> = BTreeMap::new();
        let is_one_of_several = endpoints.len() > 1;
        for (probing, answers) in endpoints {
            let known = KnownContent::default();
            for right in answers {
                let pod = right.pod.clone();
                let judge = Judge {
                    cluster: cluster.clone(),
                    probing: probing.clone(),
                    pods: pods.clone(),
                    right,
                    is_one_of_several,
                    known: known.clone(),
                    templates: templates.clone(),
                };
                let probe = Probe::new(judge, Arc::clone(&record));
                probes.entry(pod).or_default().push(probe);
            }
        }
        let mut tasks: Vec<JoinHandle<()>> = names
            .into_iter()
            .map(|pod| {
                let replica = Replica {
                    probes: probes.remove(&pod).unwrap_or_default(),
                    pod,
                    record: Arc::clone(&record),
                    interval,
                };
                tokio::spawn(replica.probe())
            })
            .collect();
        tasks.push(tokio::spawn(tally(Arc::clone(&record))));
        Self { record, tasks }
    }

    /// A handle to wait for changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.record.changes()
    }

    /// The latest probe of every replica.
    pub(super) fn latest(&self) -> BTreeMap<String, Option<Sample>> {
        let seen = self.record.seen();
        let replicas = seen.replicas.iter();
        replicas
            .map(|(pod, replica)| (pod.clone(), replica.latest.clone()))
            .collect()
    }

    /// Whether every replica was probed at least this often, with any result.
    pub(super) fn has_probed_each(&self, times: u64) -> bool {
        let counts = self.record.seen().timeline.tally();
        counts.values().all(|counts| counts.all() >= times)
    }

    /// Every answer with different content so far, one sentence each.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.record.seen().wrong.clone()
    }

    /// The first wrong or failed answer of each replica, one sentence each.
    pub(super) fn bad_answers(&self) -> Vec<String> {
        let seen = self.record.seen();
        let replicas = seen.replicas.iter();
        replicas
            .filter_map(|(pod, replica)| {
                let detail = replica.first_bad.as_ref()?;
                Some(format!(
                    "`{pod}` did not answer a probe correctly: {detail}"
                ))
            })
            .collect()
    }

    /// Answers that broke off although the replica kept running and answered correctly afterwards, one
    /// sentence for each replica.
    pub(super) fn cut(&self) -> Vec<String> {
        let seen = self.record.seen();
        let replicas = seen.replicas.iter();
        replicas
            .filter_map(|(pod, replica)| match replica.unexplained_cuts {
                0 => None,
                1 => Some(format!(
                    "1 answer of `{pod}` broke off: its content is unknown"
                )),
                cut => Some(format!(
                    "{cut} answers of `{pod}` broke off: their content is unknown"
                )),
            })
            .collect()
    }

    /// The number of answers with different content so far, of all replicas.
    pub(super) fn wrong_answers(&self) -> u64 {
        self.record.seen().timeline.total().wrong
    }

    /// A handle that records the endpoints of Services.
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints(Arc::clone(&self.record))
    }

    /// The longest finished outage of a replica that began at or after this time, in milliseconds.
    pub(super) fn outage_since(&self, pod: &str, since_ms: u64) -> Option<u64> {
        let seen = self.record.seen();
        let now = self.record.now_ms();
        let outages = seen.timeline.outages(pod, now);
        // An outage begins with the last right answer, which may come before the fault.
        let longest = outages
            .iter()
            .filter(|outage| outage.until_ms >= since_ms)
            .map(Outage::length_ms)
            .max();
        let is_right = seen.timeline.latest(pod) == Some(ProbeState::Right);
        is_right.then_some(longest.unwrap_or(0))
    }

    /// Stops probing; returns the availability since this time and the longest gap of any replica, in
    /// milliseconds.
    pub(super) fn end(&self, from_ms: u64) -> (Availability, u64) {
        for task in &self.tasks {
            task.abort();
        }
        // No probe comes between the last tally and the report.
        let mut seen = self.record.seen();
        let largest_gap_ms = tell(&self.record, &mut seen);
        let now = self.record.now_ms();
        (seen.timeline.availability(from_ms, now), largest_gap_ms)
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Records the endpoints of Services.
#[derive(Clone)]
pub(super) struct Endpoints(Arc<Record>);

impl Endpoints {
    /// From now on, a Service routes to these pods.
    pub(super) fn changed(&self, service: &str, ready: Vec<String>) {
        let event = EventKind::Endpoints {
            service: service.to_owned(),
            ready,
            at_ms: self.0.now_ms(),
        };
        self.0.emit(&mut self.0.seen(), event);
    }
}

/// Reports once a second how often every replica was probed.
async fn tally(record: Arc<Record>) {
    loop {
        sleep(TALLY).await;
        tell(&record, &mut record.seen());
    }
}

/// Reports how often every replica was probed; returns the longest gap of any replica, in milliseconds.
fn tell(record: &Record, seen: &mut Seen) -> u64 {
    let now = record.now_ms();
    let gaps = seen.replicas.values().map(|replica| replica.gap(now));
    let largest_gap_ms = gaps.max().unwrap_or(0);
    let event = EventKind::Probes {
        counts: seen.timeline.tally(),
        largest_gap_ms,
    };
    record.emit(seen, event);
    largest_gap_ms
}
