//! A verification's claims about each replica, compared with what that replica really did.

use apiserver_model::object::text;
use cryptoctl::exit::Outcome;
use cryptoctl::report::{FindingKind, Problem, ReplicaAnswer, VerifyReport};

use super::Case;
use crate::truth::{self, Span, container_state, is_terminating, sha256};

/// The claims of a verification that contradict the truth.
pub(super) fn broken(case: &Case<'_>, span: Span, report: &VerifyReport) -> Vec<String> {
    let mut wrong: Vec<String> = report
        .replicas
        .iter()
        .filter_map(|answer| untrue(case, span, answer))
        .collect();
    let ordinals: Vec<i64> = report
        .replicas
        .iter()
        .map(|answer| i64::from(answer.ordinal))
        .collect();
    let expected = truth::ever(case.run, span, |moment| {
        moment.ordinals().eq(ordinals.iter().copied())
    });
    if !expected {
        wrong.push(format!(
            "replicas {ordinals:?} were asked; there never should have been just those"
        ));
    }
    let extras = report
        .findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::ExtraPod);
    for finding in extras {
        let name = finding.pod.as_deref().unwrap_or_default();
        if !extra(case, span, name) {
            wrong.push(format!("`{name}` is said to be too many, and never was"));
        }
    }
    let all_right = report.replicas.iter().all(|answer| answer.error.is_none());
    let same = report
        .replicas
        .windows(2)
        .all(|pair| pair[0].sha256 == pair[1].sha256);
    if report.verdict == Outcome::Success && !(all_right && same) {
        wrong.push("success although not every replica gave the same right answer".to_owned());
    }
    wrong
}

fn untrue(case: &Case<'_>, span: Span, answer: &ReplicaAnswer) -> Option<String> {
    let is_true = match &answer.error {
        None => gave(case, span, answer),
        Some(problem) => happened(case, span, answer, problem),
    };
    (!is_true).then(|| format!("of `{}` it says what never was so: {answer:?}", answer.pod))
}

/// Whether this very pod, owned by the set and not replaced meanwhile, served exactly these bytes.
fn gave(case: &Case<'_>, span: Span, answer: &ReplicaAnswer) -> bool {
    let served = case.run.served.iter().any(|served| {
        served.at >= span.from
            && served.at <= span.to
            && served.pod == answer.pod
            && Some(&served.uid) == answer.uid.as_ref()
            && Some(served.status) == answer.status
            && Some(&sha256(&served.body)) == answer.sha256.as_ref()
    });
    let owned = truth::ever(case.run, span, |moment| {
        moment.pods.get(&answer.pod).is_some_and(|pod| {
            Some(text(pod, "/metadata/uid")) == answer.uid.as_deref() && moment.owns(pod)
        })
    });
    served && owned && answer.status == Some(200) && answer.bytes.is_some_and(|bytes| bytes > 0)
}

/// Whether a problem that proves a replica wrong was real; an unknown needs no proof.
fn happened(case: &Case<'_>, span: Span, answer: &ReplicaAnswer, problem: &Problem) -> bool {
    let served = |accept: &dyn Fn(u16, &[u8]) -> bool| {
        case.run.served.iter().any(|served| {
            served.at >= span.from
                && served.at <= span.to
                && served.pod == answer.pod
                && Some(&served.uid) == answer.uid.as_ref()
                && accept(served.status, &served.body)
        })
    };
    truth::ever(case.run, span, |moment| {
        let pod = moment.pods.get(&answer.pod);
        match problem {
            Problem::Missing => pod.is_none(),
            Problem::NotOwned => pod.is_some_and(|pod| !moment.owns(pod)),
            Problem::Terminating => pod.is_some_and(|pod| is_terminating(pod)),
            Problem::NotRunning { .. } => {
                pod.is_some_and(|pod| container_state(pod)["running"].is_null())
            }
            Problem::NotListening => served(&|status, _| status == 0),
            Problem::WrongStatus { status, .. } => served(&|given, _| given == *status),
            Problem::Empty => served(&|status, body| status == 200 && body.is_empty()),
            Problem::NotReady => pod.is_some_and(|pod| !truth::is_ready(pod)),
            _ => true,
        }
    })
}

/// Whether a pod that is said to be too many ever was: there, neither leaving nor ended, and beyond what
/// the set wanted.
fn extra(case: &Case<'_>, span: Span, name: &str) -> bool {
    truth::ever(case.run, span, |moment| {
        let mut wanted = moment
            .ordinals()
            .map(|ordinal| format!("{}-{ordinal}", crate::set::NAME));
        !wanted.any(|wanted| wanted == name)
            && moment
                .pods
                .get(name)
                .is_some_and(|pod| !is_terminating(pod))
    })
}
