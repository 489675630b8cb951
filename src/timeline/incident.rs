//! Incidents: changes to pods that are no part of a recovery.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::CurrentFault;
use crate::event::{Event, EventKind};
use crate::figures::count;
use crate::status::PodSummary;

/// A pod in trouble, for example after a crash, or one that changed although no fault targeted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// When it was seen, in milliseconds since the start of the run.
    pub at_ms: u64,
    /// The pod after the change.
    pub pod: PodSummary,
    /// Whether it is in trouble.
    pub is_trouble: bool,
}

/// Such as `web-0: CrashLoopBackOff, 0/1 Ready, 3 restarts`.
impl Display for Incident {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let PodSummary {
            pod,
            ready: (ready, all),
            status,
            restarts,
            ..
        } = &self.pod;
        write!(formatter, "{pod}: {status}, {ready}/{all} Ready")?;
        match restarts {
            0 => Ok(()),
            restarts => write!(formatter, ", {}", count(*restarts, "restart")),
        }
    }
}

/// Tells incidents from changes that the current fault explains.
#[derive(Debug, Default)]
pub struct Incidents {
    /// The last row of each pod.
    pods: BTreeMap<String, PodSummary>,
    fault: Option<CurrentFault>,
}

impl Incidents {
    /// Records an event; returns the incident, if it is one.
    pub fn record(&mut self, event: &Event) -> Option<Incident> {
        CurrentFault::record(&mut self.fault, event);
        match &event.kind {
            EventKind::PodChanged { pod } => self.changed(pod, event.elapsed_ms),
            _ => None,
        }
    }

    /// Whether a replica is expected to be down, because the fault targets it.
    #[must_use]
    pub fn is_recovering(&self, pod: &str) -> bool {
        let fault = self.fault.as_ref();
        fault.is_some_and(|fault| fault.is_recovering(pod))
    }

    fn changed(&mut self, pod: &PodSummary, at_ms: u64) -> Option<Incident> {
        let before = self.pods.insert(pod.pod.clone(), pod.clone())?;
        let is_same_pod = before.uid == pod.uid;
        let is_crash = is_same_pod && pod.restarts > before.restarts && !self.is_signalled(pod);
        let is_same = (&before.status, before.ready) == (&pod.status, pod.ready);
        let is_trouble = pod.is_in_trouble() || is_crash;
        if is_same && !is_crash
            || !is_trouble && (self.is_recovering(&pod.pod) || self.fault.is_none())
        {
            return None;
        }
        Some(Incident {
            at_ms,
            pod: pod.clone(),
            is_trouble,
        })
    }

    /// Whether the fault restarts a container of this pod.
    fn is_signalled(&self, pod: &PodSummary) -> bool {
        let fault = self.fault.as_ref();
        fault.is_some_and(|current| current.fault.keeps_pod()) && self.is_recovering(&pod.pod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;

    fn row(pod: &str, status: &str, ready: usize, restarts: i32) -> EventKind {
        let pod = PodSummary {
            pod: pod.into(),
            uid: "1".into(),
            ready: (ready, 1),
            status: status.into(),
            restarts,
            created: None,
            node: None,
        };
        EventKind::PodChanged { pod }
    }

    fn fault(fault: Fault) -> EventKind {
        EventKind::Fault {
            number: 1,
            fault,
            pods: vec!["web-0".into()],
        }
    }

    fn incidents(kinds: Vec<EventKind>) -> Vec<(String, bool)> {
        let mut incidents = Incidents::default();
        kinds
            .into_iter()
            .map(|kind| Event {
                time: jiff::Timestamp::UNIX_EPOCH,
                elapsed_ms: 0,
                kind,
            })
            .filter_map(|event| incidents.record(&event))
            .map(|incident| {
                let PodSummary { pod, status, .. } = &incident.pod;
                (format!("{pod} {status}"), incident.is_trouble)
            })
            .collect()
    }

    #[test]
    fn what_the_fault_explains_is_no_incident() {
        let kinds = vec![
            row("web-0", "Running", 1, 0),
            fault(Fault::Delete),
            row("web-0", "Terminating", 1, 0),
            row("web-0", "Pending", 0, 0),
            row("web-0", "Running", 1, 0),
        ];
        assert_eq!(incidents(kinds), []);
    }

    #[test]
    fn a_crash_is_one_and_so_is_a_change_of_a_pod_that_was_left_alone() {
        let kinds = vec![
            row("web-0", "Running", 1, 0),
            row("web-1", "Running", 1, 0),
            fault(Fault::Delete),
            row("web-0", "CrashLoopBackOff", 0, 2),
            row("web-1", "Terminating", 1, 0),
        ];
        let expected = [
            ("web-0 CrashLoopBackOff".to_owned(), true),
            ("web-1 Terminating".to_owned(), false),
        ];
        assert_eq!(incidents(kinds), expected);
    }

    #[test]
    fn a_restart_that_was_over_at_once_is_seen_by_its_count() {
        let restart = || vec![row("web-0", "Running", 1, 0), row("web-0", "Running", 1, 1)];
        assert_eq!(incidents(restart()), [("web-0 Running".to_owned(), true)]);
        let mut signalled = restart();
        signalled.insert(1, fault(Fault::Kill));
        assert_eq!(incidents(signalled), []);
    }
}
