//! Calculates the availability that clients would have seen.

use super::service::is_away;
use super::{Outage, Replica, ServiceState, Timeline};
use crate::report::{Availability, ProbeState, ReplicaAvailability, ServiceAvailability};

impl Timeline {
    /// The availability that clients would have seen between two times.
    #[must_use]
    pub fn availability(&self, from_ms: u64, until_ms: u64) -> Availability {
        let all = self.total();
        Availability {
            share: all.share(),
            none_answered_ms: self.none_answered_ms(from_ms, until_ms),
            from_ms,
            probed_ms: until_ms.saturating_sub(from_ms),
            replicas: self
                .replicas
                .iter()
                .map(|replica| self.of_replica(replica, from_ms, until_ms))
                .collect(),
            services: self
                .services()
                .map(|service| self.of_service(service, from_ms, until_ms))
                .collect(),
        }
    }

    fn of_replica(&self, replica: &Replica, from_ms: u64, until_ms: u64) -> ReplicaAvailability {
        let outages = self.outages(&replica.pod, until_ms);
        let longest = outages.iter().map(Outage::length_ms).max();
        let open = outages.last().filter(|outage| !outage.is_over);
        let answers = self.answers(&replica.pod, until_ms);
        // The state before the first probe is unknown, too.
        let known_ms: u64 = answers
            .iter()
            .filter(|span| span.state != ProbeState::Unknown)
            .map(|span| span.within(from_ms, until_ms))
            .sum();
        ReplicaAvailability {
            pod: replica.pod.clone(),
            probes: replica.counts,
            share: replica.counts.share(),
            longest_outage_ms: longest.unwrap_or(0),
            open_outage_ms: open.map(Outage::length_ms),
            unknown_ms: until_ms.saturating_sub(from_ms).saturating_sub(known_ms),
        }
    }

    fn of_service(&self, service: &str, from_ms: u64, until_ms: u64) -> ServiceAvailability {
        let answers = self.service(service, until_ms);
        let time = |is_meant: fn(ServiceState) -> bool| {
            let meant = answers.iter().filter(|span| is_meant(span.state));
            meant.map(|span| span.within(from_ms, until_ms)).sum()
        };
        ServiceAvailability {
            service: service.to_owned(),
            failing_ms: time(|state| state >= ServiceState::Failing),
            down_ms: time(|state| state == ServiceState::Down),
            unknown_ms: time(|state| state == ServiceState::Unknown),
        }
    }

    /// The time in which every replica is known to give no right answer. Unknown time does not count.
    fn none_answered_ms(&self, from_ms: u64, until_ms: u64) -> u64 {
        let mut turns: Vec<(u64, bool)> = Vec::new();
        for replica in &self.replicas {
            for span in self.answers(&replica.pod, until_ms) {
                if is_away(span.state) {
                    turns.extend([(span.from_ms, true), (span.until_ms, false)]);
                }
            }
        }
        // A stable sort keeps the order of each replica, which spans of zero length need.
        turns.sort_by_key(|(at_ms, _)| *at_ms);
        let (mut away, mut since_ms, mut none_ms) = (0, 0, 0);
        for (at_ms, is_begin) in turns {
            if away > 0 && away == self.replicas.len() {
                none_ms += at_ms.min(until_ms).saturating_sub(since_ms);
            }
            since_ms = at_ms.max(from_ms);
            away = if is_begin { away + 1 } else { away - 1 };
        }
        none_ms
    }
}
