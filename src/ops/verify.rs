//! Sends a request to every expected replica at every endpoint, each on its own connection.

mod ask;
mod between;
mod meanwhile;
pub(crate) mod pods;
mod watch;

use std::ops::Range;
use std::time::Duration;

use futures::future::join;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;

pub use self::watch::{WatchTimes, watch};

use self::ask::{Asked, Given, Scene, ask};
use self::between::Runs;
use super::error::OpsError;
use super::{Context, Workload};
use crate::cluster::{Question, may_be_guessed};
use crate::event::EventKind;
use crate::expectation::Expectation;
use crate::object::ObjectRef;
use crate::report::{
    Baseline, Contents, Endpoint, Evidence, Problem, ReplicaAnswer, Transport, VerifyReport,
    replicas_in_words,
};
use crate::status::{self, expected_ordinals};

/// The requests to every replica, and their limits.
#[derive(Debug, Clone)]
pub struct Verification {
    /// The expected answers, at one or more endpoints.
    pub expectations: Vec<Expectation>,
    /// The time limit of one answer.
    pub answer_time: Duration,
    /// The largest body to read, in bytes.
    pub largest_body: u64,
    /// At most this many requests run at the same time.
    pub concurrency: usize,
    /// Whether excerpts of the answers are shown, and saved in a baseline.
    pub shows_content: bool,
    /// The baseline that the answers must match.
    pub baseline: Option<Baseline>,
    /// Whether the answer of a replica that is not Ready may be right.
    pub allows_unready: bool,
}

impl Verification {
    /// Equal answers from Ready pods, with no excerpts shown, and the usual limits.
    #[must_use]
    pub fn of(expectations: Vec<Expectation>) -> Self {
        Self {
            expectations,
            answer_time: Duration::from_secs(10),
            largest_body: 16 << 20,
            concurrency: 16,
            shows_content: false,
            baseline: None,
            allows_unready: false,
        }
    }
}

/// Sends requests to every replica and compares the answers.
///
/// # Errors
/// [`OpsError::NoSuchWorkload`], [`OpsError::Question`], [`OpsError::Baseline`],
/// [`OpsError::OutOfTime`], or a failed request.
pub async fn verify(
    context: &Context,
    workload: &Workload,
    verification: &Verification,
) -> Result<VerifyReport, OpsError> {
    let (report, _) = verify_for_baseline(context, workload, verification).await?;
    Ok(report)
}

/// The same, with a baseline of the answers if the verification succeeded.
///
/// # Errors
/// As [`verify`].
pub async fn verify_for_baseline(
    context: &Context,
    workload: &Workload,
    verification: &Verification,
) -> Result<(VerifyReport, Option<Baseline>), OpsError> {
    // A large future: not on the stack.
    let asking = Box::pin(ask_all(context, workload, verification, true));
    let seen = context.by_deadline(asking).await?;
    let keeps_content = verification.shows_content;
    let ignored = |endpoint: &Endpoint| {
        let of_endpoint = seen.questions.iter().find(|one| one.endpoint == *endpoint);
        of_endpoint.map_or_else(Vec::new, |one| patterns(one.expectation))
    };
    let now = Timestamp::now();
    let time = now.round(jiff::Unit::Second).unwrap_or(now);
    let baseline = Baseline::of(&seen.report, &seen.contents, ignored, time, keeps_content);
    Ok((seen.report, baseline))
}

/// A finished verification.
struct Seen<'a> {
    report: VerifyReport,
    contents: Contents,
    questions: Vec<Asked<'a>>,
    /// The runs of the replicas before the requests.
    before: Runs,
    /// Their runs after the requests.
    after: Runs,
}

async fn ask_all<'a>(
    context: &Context,
    workload: &Workload,
    verification: &'a Verification,
    is_told: bool,
) -> Result<Seen<'a>, OpsError> {
    let object = workload.reference();
    let (set, before) = pods::list_with_set(context, workload).await?;
    let questions = questions(&set, &object, verification)?;
    check_baseline(&object, &questions, verification)?;
    let ordinals = expected_ordinals(&set);
    let tell = |kind: EventKind| {
        if is_told {
            context.emit(kind);
        }
    };
    let endpoints: Vec<Endpoint> = questions.iter().map(|one| one.endpoint.clone()).collect();
    let may_differ: Vec<Endpoint> = questions
        .iter()
        .filter(|one| !one.expectation.equal)
        .map(|one| one.endpoint.clone())
        .collect();
    tell(EventKind::Verifying {
        object: object.clone(),
        endpoints: endpoints.clone(),
        may_differ: may_differ.clone(),
        replicas: u32::try_from(ordinals.len()).unwrap_or(u32::MAX),
    });
    let answered = |answer: &ReplicaAnswer| EventKind::Answered {
        object: object.clone(),
        answer: answer.clone(),
    };
    let scene = Scene {
        context,
        workload,
        set: &set,
        pods: &before,
    };
    let asking = ask_each(
        &scene,
        &ordinals,
        &questions,
        verification.concurrency,
        |answer| {
            tell(answered(answer));
        },
    );
    let Collected {
        mut answers,
        contents,
        proxied,
    } = asking.await;
    let (after, now) = if answers.is_empty() {
        (None, workload.find(context).await?)
    } else {
        let listing = pods::list(context, workload, &set);
        let (after, now) = join(listing, workload.find(context)).await;
        (Some(after?), now?)
    };
    for answer in &mut answers {
        let Some(after) = &after else { break };
        let problem = pods::doubt(answer, &before, after).or_else(|| {
            let is_doubtful = answer.error.is_none() && !verification.allows_unready;
            (is_doubtful && !pods::is_ready(after, &answer.pod)).then_some(Problem::NotReady)
        });
        if let Some(problem) = problem {
            answer.error = Some(problem);
            tell(answered(answer));
        }
    }
    let latest = after.as_ref().unwrap_or(&before);
    let mut beside = pods::beside(&set, &before, latest, &ordinals);
    for answer in meanwhile::excuse(&set, now.as_ref(), &mut answers, &mut beside) {
        tell(answered(&answer));
    }
    let mut notes = beside.notes;
    notes.extend(way_in_words(proxied, &answers));
    notes.extend(status::scaled_by_experiment(&set));
    let report = VerifyReport::weigh(Evidence {
        object,
        endpoints,
        may_differ,
        replicas: answers,
        findings: beside.findings,
        notes,
        contents: &contents,
        shows_content: verification.shows_content,
        baseline: verification.baseline.as_ref(),
    });
    Ok(Seen {
        report,
        contents,
        questions,
        before: between::runs(&set, &before),
        after: between::runs(&set, latest),
    })
}

/// All answers, before it is known whether they count.
#[derive(Default)]
struct Collected {
    answers: Vec<ReplicaAnswer>,
    contents: Contents,
    /// The ordinals that were reached through the API server's proxy, and why.
    proxied: Vec<(i32, &'static str)>,
}

/// Sends requests to every replica at every endpoint, and reports every answer as it arrives.
async fn ask_each(
    scene: &Scene<'_>,
    ordinals: &Range<i32>,
    questions: &[Asked<'_>],
    concurrency: usize,
    tell: impl Fn(&ReplicaAnswer),
) -> Collected {
    let mut collected = Collected::default();
    let each = ordinals
        .clone()
        .flat_map(|ordinal| questions.iter().map(move |one| (ordinal, one)));
    let mut asked = stream::iter(each)
        .map(|(ordinal, one)| ask(scene, ordinal, one))
        .buffer_unordered(concurrency.max(1));
    while let Some(given) = asked.next().await {
        let Given {
            answer,
            compared,
            fragment,
            because,
        } = given;
        if let Some(compared) = compared {
            let (sha256, beginning) = (&compared.sha256, &compared.beginning);
            let contents = &mut collected.contents;
            contents.keep(&answer.endpoint, sha256, compared.bytes, beginning);
        }
        if let Some(fragment) = fragment {
            let contents = &mut collected.contents;
            contents.keep_fragment(&answer.endpoint, answer.ordinal, fragment);
        }
        if let Some(because) = because {
            collected.proxied.push((answer.ordinal, because));
        }
        tell(&answer);
        collected.answers.push(answer);
    }
    collected
}

/// The requests to send. The port is that of the pod template if none is named.
fn questions<'a>(
    set: &StatefulSet,
    object: &ObjectRef,
    verification: &'a Verification,
) -> Result<Vec<Asked<'a>>, OpsError> {
    let mut questions: Vec<Asked<'a>> = Vec::new();
    for expectation in &verification.expectations {
        let endpoint = Endpoint {
            port: pods::port(set, object, expectation.port)?,
            path: expectation.path.clone(),
        };
        if questions.iter().any(|one| one.endpoint == endpoint) {
            return Err(OpsError::Question {
                object: Box::new(object.clone()),
                reason: format!("{endpoint} is listed twice"),
                hint: "name every endpoint once, with everything that is expected there".to_owned(),
            });
        }
        let kept = if expectation.needs_body() {
            verification.largest_body
        } else {
            Contents::KEPT
        };
        let question = Question {
            port: endpoint.port,
            path: endpoint.path.clone(),
            timeout: verification.answer_time,
            largest_body: verification.largest_body,
            kept,
        };
        questions.push(Asked {
            expectation,
            endpoint,
            question,
        });
    }
    Ok(questions)
}

/// The endpoints at which all replicas have to answer alike, with what is expected there and the request.
/// Only as much of a body is kept as the comparison needs.
///
/// # Errors
/// [`OpsError::Question`].
pub(crate) fn compared(
    set: &StatefulSet,
    object: &ObjectRef,
    verification: &Verification,
) -> Result<Vec<(Endpoint, Expectation, Question)>, OpsError> {
    let questions = questions(set, object, verification)?;
    let compared = questions.into_iter().filter(|one| one.expectation.equal);
    Ok(compared
        .map(|mut one| {
            if !one.expectation.needs_body() {
                // Repeated probes need only the hash.
                one.question.kept = 0;
            }
            (one.endpoint, one.expectation.clone(), one.question)
        })
        .collect())
}

/// The endpoints of every replica.
///
/// # Errors
/// [`OpsError::Question`].
pub(crate) fn endpoints(
    set: &StatefulSet,
    object: &ObjectRef,
    verification: &Verification,
) -> Result<Vec<Endpoint>, OpsError> {
    let questions = questions(set, object, verification)?;
    Ok(questions.into_iter().map(|one| one.endpoint).collect())
}

fn patterns(expectation: &Expectation) -> Vec<String> {
    let patterns = expectation.ignore.iter();
    patterns.map(|regex| regex.as_str().to_owned()).collect()
}

/// With a baseline of another endpoint, every answer would be wrong.
fn check_baseline(
    object: &ObjectRef,
    questions: &[Asked<'_>],
    verification: &Verification,
) -> Result<(), OpsError> {
    let Some(baseline) = &verification.baseline else {
        return Ok(());
    };
    let compared: Vec<(Endpoint, Vec<String>)> = questions
        .iter()
        .filter(|one| one.expectation.equal)
        .map(|one| (one.endpoint.clone(), patterns(one.expectation)))
        .collect();
    Ok(baseline.check(object, &compared)?)
}

/// Which replicas were reached through the API server's proxy, and why.
fn way_in_words(
    mut proxied: Vec<(i32, &'static str)>,
    answers: &[ReplicaAnswer],
) -> Option<String> {
    // The proxy may be forbidden too.
    proxied.retain(|(ordinal, _)| {
        let mut theirs = answers.iter().filter(|answer| answer.ordinal == *ordinal);
        theirs.any(|answer| !matches!(answer.error, Some(Problem::NotAsked { .. })))
    });
    proxied.sort_unstable();
    proxied.dedup();
    let (_, because) = *proxied.first()?;
    let mut ordinals: Vec<i32> = proxied.iter().map(|(ordinal, _)| *ordinal).collect();
    ordinals.dedup();
    let verb = if ordinals.len() == 1 { "was" } else { "were" };
    let is_guessed = answers.iter().any(|answer| {
        answer.transport == Transport::PodProxy
            && answer.content_type.as_deref().is_some_and(may_be_guessed)
    });
    let doubt = if is_guessed {
        "; their content types may be the proxy's guesses"
    } else {
        ""
    };
    Some(format!(
        "{} {verb} reached through the API server's pod proxy because {because}{doubt}",
        replicas_in_words(&ordinals)
    ))
}
