//! What was seen of a rollout so far, and when its cause is said or decides.

use std::time::Duration;

use tokio::time::Instant;

use crate::diagnose::{Diagnosis, Finality, LASTING};
use crate::rollout::{RolloutProgress, RolloutState};

/// After this long without progress, what surrounds the pods is read again, and the evidence of a cause is shown.
pub(crate) const STALL: Duration = Duration::from_secs(3);

/// The rollout as seen so far.
#[derive(Default)]
pub(crate) struct Seen {
    /// What was last shown.
    pub(super) last: Option<RolloutProgress>,
    suspicion: Option<(Diagnosis, Instant)>,
}

impl Seen {
    /// Turns a cause that usually resolves itself into a failure once it has lasted. Any other is said from the first
    /// moment, with its evidence once it has stood for a while; one that every healthy rollout shows is only said then.
    pub(crate) fn judge(&mut self, mut progress: RolloutProgress) -> RolloutProgress {
        let RolloutState::Progressing { suspicion, .. } = &mut progress.state else {
            self.suspicion = None;
            return progress;
        };
        let Some(found) = suspicion.clone() else {
            self.suspicion = None;
            return progress;
        };
        let same = |(known, _): &&(Diagnosis, Instant)| {
            known.cause == found.cause && known.object == found.object
        };
        let since = self
            .suspicion
            .as_ref()
            .filter(same)
            .map_or_else(Instant::now, |(_, since)| *since);
        self.suspicion = Some((found.clone(), since));
        if since.elapsed() >= LASTING && found.finality == Finality::Lasting {
            progress.state = failed(found);
        } else if since.elapsed() < STALL {
            *suspicion = (!found.cause.is_usual()).then(|| Diagnosis {
                evidence: Vec::new(),
                ..found
            });
        }
        progress
    }

    /// What stands at the end of the wait. The last observation counts, however short-lived it was; at the deadline, a
    /// cause that has stood for long enough decides.
    pub(super) fn at_the_end(
        &self,
        has_time: bool,
        judged: RolloutState,
        found: RolloutState,
    ) -> RolloutState {
        match (judged, found) {
            (
                RolloutState::Progressing { .. },
                RolloutState::Progressing {
                    suspicion: Some(cause),
                    ..
                },
            ) if !has_time && self.decides(&cause) => failed(cause),
            (RolloutState::Progressing { .. }, found) => found,
            (decided, _) => decided,
        }
    }

    fn decides(&self, cause: &Diagnosis) -> bool {
        let stood = self.suspicion.as_ref().map(|(_, since)| since.elapsed());
        stood.is_some_and(|stood| cause.decides_at_deadline(stood))
    }

    /// When the current suspicion will have stood long enough for its evidence.
    pub(super) fn due(&self) -> Option<Instant> {
        let (_, since) = self.suspicion.as_ref()?;
        Some(*since + STALL).filter(|due| *due > Instant::now())
    }
}

fn failed(cause: Diagnosis) -> RolloutState {
    let cause = Diagnosis {
        finality: Finality::Final,
        ..cause
    };
    RolloutState::Failed { cause }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::diagnose::{Cause, Evidence};
    use crate::object::ObjectRef;
    use crate::rollout::rollout_progress;
    use crate::status::Snapshot;

    const TICK: Duration = Duration::from_millis(1);

    fn progress(cause: Option<Cause>, finality: Finality) -> RolloutProgress {
        let object = ObjectRef::new("", "Pod", Some("shop"), "web-0");
        let suspicion = cause.map(|cause| Diagnosis {
            cause,
            evidence: vec![Evidence::field(
                &object,
                ".status",
                "0/1 nodes are available",
            )],
            object,
            message: "no node takes `pod/web-0`".to_owned(),
            next: Vec::new(),
            finality,
            container: None,
        });
        let message = "replica 0 is not Ready".to_owned();
        RolloutProgress {
            state: RolloutState::Progressing { message, suspicion },
            ..rollout_progress(&Snapshot::default())
        }
    }

    /// The number of pieces of evidence that are shown with this progress; `None` if nothing is said.
    fn shown(seen: &mut Seen, cause: Option<Cause>) -> Option<usize> {
        match seen.judge(progress(cause, Finality::Open)).state {
            RolloutState::Progressing { suspicion, .. } => suspicion.map(|it| it.evidence.len()),
            _ => panic!("nothing has failed"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_suspicion_is_said_at_once_and_with_its_evidence_once_it_has_stood() {
        let mut seen = Seen::default();
        let unschedulable = Some(Cause::Unschedulable);
        assert_eq!(shown(&mut seen, unschedulable), Some(0));
        let due = seen.due().unwrap();
        advance(due.duration_since(Instant::now()).saturating_sub(TICK)).await;
        assert_eq!(shown(&mut seen, unschedulable), Some(0));
        advance(TICK).await;
        assert_eq!(shown(&mut seen, unschedulable), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_every_healthy_rollout_shows_is_not_said_before_it_has_stood() {
        let mut seen = Seen::default();
        for cause in [Some(Cause::SlowStart), None, Some(Cause::SlowStart)] {
            assert_eq!(shown(&mut seen, cause), None);
            advance(STALL.saturating_sub(TICK)).await;
        }
        assert_eq!(shown(&mut seen, Some(Cause::Unknown)), None, "another one");
        advance(STALL).await;
        assert_eq!(shown(&mut seen, Some(Cause::Unknown)), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_stood_decides_at_the_deadline_unless_it_may_only_be_slow() {
        for (finality, stood, fails) in [
            (Finality::AtDeadline, LASTING, true),
            (Finality::AtDeadline, LASTING.saturating_sub(TICK), false),
            (Finality::Open, LASTING * 9, false),
        ] {
            let mut seen = Seen::default();
            let progress = || progress(Some(Cause::Unschedulable), finality);
            seen.judge(progress());
            advance(stood).await;
            let judged = seen.judge(progress()).state;
            assert!(matches!(judged, RolloutState::Progressing { .. }));
            for (has_time, fails) in [(true, false), (false, fails)] {
                let state = seen.at_the_end(has_time, judged.clone(), progress().state);
                let has_failed = matches!(state, RolloutState::Failed { .. });
                assert_eq!(has_failed, fails, "{finality:?} after {stood:?}");
            }
        }
    }
}
