//! Sends one request to one replica at one endpoint.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;

use super::pods::{self, Pods};
use crate::answer::{Answer, Fragment};
use crate::cluster::{AskError, ClusterError, Question, may_be_guessed};
use crate::expectation::{Compared, Expectation};
use crate::figures::milliseconds;
use crate::ops::{Context, Workload};
use crate::report::{Endpoint, Problem, ReplicaAnswer, Transport};

/// How often a request is repeated when the transport failed, not the replica.
const REPEATS: u32 = 2;
const PAUSE: Duration = Duration::from_millis(250);

/// The request to every replica at one endpoint.
pub(super) struct Asked<'a> {
    pub(super) expectation: &'a Expectation,
    pub(super) endpoint: Endpoint,
    pub(super) question: Question,
}

/// The replicas, as they were before the requests.
pub(super) struct Scene<'a> {
    pub(super) context: &'a Context,
    pub(super) workload: &'a Workload,
    pub(super) set: &'a StatefulSet,
    pub(super) pods: &'a Pods,
}

/// The result of a request.
pub(super) struct Given {
    pub(super) answer: ReplicaAnswer,
    /// The part of a right answer that is compared.
    pub(super) compared: Option<Compared>,
    /// The part of an answer that ended early, if it can be compared.
    pub(super) fragment: Option<Fragment>,
    /// Why the API server's proxy was used.
    pub(super) because: Option<&'static str>,
}

/// Sends a request. It is repeated only if the transport failed before an answer began, never to
/// get a better answer.
pub(super) async fn ask(scene: &Scene<'_>, ordinal: i32, asked: &Asked<'_>) -> Given {
    let Scene {
        context,
        workload,
        set,
        pods,
    } = *scene;
    let name = format!("{}-{ordinal}", workload.name);
    let pod = pods.get(&name);
    let mut given = Given {
        answer: ReplicaAnswer {
            pod: name.clone(),
            ordinal,
            uid: pod.and_then(|pod| pod.metadata.uid.clone()),
            node: pod.and_then(|pod| pod.spec.as_ref()?.node_name.clone()),
            endpoint: asked.endpoint.clone(),
            status: None,
            sha256: None,
            compared_sha256: None,
            bytes: None,
            content_type: None,
            content_encoding: None,
            latency_ms: None,
            transport: Transport::PortForward,
            repeats: 0,
            error: None,
        },
        compared: None,
        fragment: None,
        because: None,
    };
    if let Err(problem) = pods::askable(set, pod) {
        given.answer.error = Some(problem);
        return given;
    }
    let (cluster, namespace) = (&context.cluster, &workload.namespace);
    loop {
        let asking = async {
            match given.because {
                None => cluster.ask(namespace, &name, &asked.question).await,
                Some(_) => {
                    cluster
                        .ask_by_proxy(namespace, &name, &asked.question)
                        .await
                }
            }
        };
        match asking.await {
            Ok(answer) => {
                take(&mut given, asked.expectation, answer);
                return given;
            }
            Err(error) if error.is_transport() && given.answer.repeats < REPEATS => {
                given.answer.repeats += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => match error.speaks_against_forwards() {
                Some(because) if given.because.is_none() => {
                    given.because = Some(because);
                    given.answer.transport = Transport::PodProxy;
                }
                _ => {
                    fail(&mut given, asked, error);
                    return given;
                }
            },
        }
    }
}

fn take(given: &mut Given, expectation: &Expectation, received: Answer) {
    let compared = expectation.compared(&received);
    let answer = &mut given.answer;
    answer.error = expectation.problem(&received).or_else(|| {
        let content_type = received.content_type.as_deref().unwrap_or_default();
        let is_in_doubt = answer.transport == Transport::PodProxy
            && expectation.content_type.is_some()
            && may_be_guessed(content_type);
        is_in_doubt.then(|| Problem::NotProven {
            reason: "the API server's proxy adds a content type to an answer without one"
                .to_owned(),
        })
    });
    answer.status = Some(received.status.as_u16());
    answer.sha256 = Some(received.sha256);
    answer.bytes = Some(received.bytes);
    answer.content_type = received.content_type;
    answer.content_encoding = received.content_encoding;
    answer.latency_ms = Some(milliseconds(received.latency));
    if !expectation.ignore.is_empty() {
        answer.compared_sha256 = compared.as_ref().map(|compared| compared.sha256.clone());
    }
    given.compared = compared.filter(|_| given.answer.error.is_none());
}

fn fail(given: &mut Given, asked: &Asked<'_>, error: AskError) {
    let problem = match error {
        AskError::NotListening => Problem::NotListening,
        AskError::NotOpened(source) => Problem::NotAsked {
            reason: source.to_string(),
        },
        AskError::NotUpgraded(reason) | AskError::NotForwarded(reason) => {
            Problem::NotAsked { reason }
        }
        AskError::NotProxied(source) => Problem::NotAsked {
            reason: match given.because {
                // The better transport is missing; this one would prove less.
                Some(because) if matches!(source, ClusterError::Forbidden { .. }) => {
                    format!("{because}, and so is the API server's pod proxy")
                }
                Some(because) => {
                    format!("{because}, and the API server's pod proxy fails: {source}")
                }
                None => source.to_string(),
            },
        },
        // A server that listens only on the loopback address answers a port-forward, but not the
        // proxy.
        AskError::NotListeningOutside => Problem::NotAsked {
            reason: format!(
                "{error}; the proxy cannot reach a server that listens only on its loopback address"
            ),
        },
        AskError::NotOpenedInTime
        | AskError::NoSuchPod
        | AskError::NotReached(_)
        | AskError::Closed(_)
        | AskError::LinkBroken => Problem::NotAsked {
            reason: error.to_string(),
        },
        AskError::NotHttp { .. } => Problem::NotProven {
            reason: error.to_string(),
        },
        AskError::Unfinished(fragment) => {
            given.answer.status = fragment.status.map(|status| status.as_u16());
            let problem = asked.expectation.fragment_problem(&fragment);
            // If parts are removed before comparing, neither offset nor length means anything.
            let is_comparable = asked.expectation.ignore.is_empty();
            given.fragment = is_comparable.then_some(*fragment);
            problem
        }
        AskError::TimedOut => Problem::NoAnswer {
            after_ms: milliseconds(asked.question.timeout),
        },
    };
    given.answer.error = Some(problem);
}
