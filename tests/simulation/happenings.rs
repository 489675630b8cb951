//! Draws the disturbances: faults between client and server, and changes in the cluster.

use std::time::Duration;

use apiserver_model::{Disturbance, Fault, Page, PodScript, Pods, Reply, Rule, When};
use http::Method;

use cryptoctl::fault::Fault as Attacked;

use crate::draw::Draw;
use crate::scenario::{DATA, MOST_REPLICAS, Operation, Upheaval, replica};
use crate::set::{NAME, Shape};

/// A fault, and the requests that it affects.
pub(crate) fn fault(draw: &mut Draw, shape: &Shape, operation: Operation) -> Rule {
    let rule = match draw.below(19) {
        0..3 => Rule::new(stream_fault(draw)).query("watch=true"),
        3..5 => Rule::new(forward_fault(draw, shape)).path("/portforward"),
        5 => return write(draw, operation, shape),
        6 => Rule::new(Fault::Stale(1 + draw.below(30))).query("resourceVersion="),
        7 => Rule::new(Fault::Meanwhile(disturbance(draw, shape))),
        8 => {
            // A proxy that knows nothing of the API for a moment; of single objects a 404 could not be told from the truth.
            let fault = Fault::Error {
                status: 404,
                reason: "NotFound",
                message: "the server could not find the requested resource",
                retry_after: None,
            };
            Rule::new(fault).query("Selector=")
        }
        9 => {
            let list = Fault::CutBody(usize::try_from(draw.below(3000)).unwrap());
            Rule::new(list).method(Method::GET)
        }
        10..12 => {
            let rule = Rule::new(replaced(draw));
            match draw.below(4) {
                0 => rule.method(Method::PATCH),
                1 => rule.method(Method::GET).path("/statefulsets"),
                2 => rule.query("Selector="),
                _ => rule,
            }
        }
        12 => Rule::new(ended(draw)).path(draw.one(&["/statefulsets", "/pods", ""])),
        13 => Rule::new(busy(draw)).path("/version"),
        // Some never end: a client that follows `Retry-After: 0` to the letter retries forever.
        14 => {
            let path = draw.one(&["/pods", "/statefulsets", "/configmaps", "/portforward"]);
            return Rule::new(busy(draw))
                .path(path)
                .after(u32::try_from(draw.below(12)).unwrap());
        }
        15 => another_object(draw),
        _ => {
            let fault = request_fault(draw);
            let rule = Rule::new(fault);
            match draw.below(4) {
                0 => rule.path("/pods"),
                1 => rule.path("/statefulsets"),
                2 => rule.method(Method::GET),
                _ => rule,
            }
        }
    };
    let skipped = u32::try_from(draw.below(12)).unwrap();
    let times = 1 + u32::try_from(draw.below(12)).unwrap();
    match draw.below(3) {
        0 => rule.after(skipped).times(1),
        1 => rule.after(skipped).times(times),
        _ => rule.per_mille(100 + draw.below(500)),
    }
}

/// The important write of an operation: its answer is lost, or a change happens right before it.
pub(crate) fn write(draw: &mut Draw, operation: Operation, shape: &Shape) -> Rule {
    let method = match operation {
        Operation::Chaos(attack) => match attack.fault {
            Attacked::Delete | Attacked::ForceDelete => Method::DELETE,
            Attacked::Evict => Method::POST,
            Attacked::Kill => Method::GET,
            Attacked::Restart | Attacked::Scale | Attacked::Cordon => Method::PATCH,
        },
        _ => Method::PATCH,
    };
    let fault = match draw.below(10) {
        0 | 1 => Fault::CutAfter,
        2 => Fault::CutBefore,
        3 => error(draw),
        4 | 5 => replaced(draw),
        6 => ended(draw),
        _ => {
            let ordinal = draw.below(u64::try_from(shape.replicas).unwrap());
            let pod = format!("{NAME}-{}", draw.one(&[0, 0, ordinal]));
            let at_once = draw.percent(80);
            let namespace = shape.namespace.to_owned();
            Fault::Meanwhile(Disturbance::Delete {
                namespace,
                pod,
                at_once,
            })
        }
    };
    let rule = Rule::new(fault).method(method);
    if let Operation::Chaos(attack) = operation {
        // There is only one, or all of them are affected.
        return match attack.fault {
            Attacked::Kill => rule.path("/exec"),
            Attacked::Evict => rule.path("/eviction"),
            Attacked::Scale | Attacked::Cordon | Attacked::Restart => {
                let skipped = u32::try_from(draw.below(3)).unwrap();
                let path = match attack.fault {
                    Attacked::Cordon => "/nodes/",
                    _ => "/statefulsets/",
                };
                rule.path(path).after(skipped).times(1)
            }
            _ => rule.path("/pods/"),
        };
    }
    let skipped = u32::try_from(draw.below(7)).unwrap();
    rule.after(skipped).times(1)
}

/// The read after a lost answer returns another object.
pub(crate) fn another_object(draw: &mut Draw) -> Rule {
    let path = draw.one(&["/pods/", "/configmaps/", "/namespaces/", ""]);
    Rule::new(Fault::Other).method(Method::GET).path(path)
}

/// Something that is not a valid answer.
fn replaced(draw: &mut Draw) -> Fault {
    let page = |status, page| Fault::Replaced {
        status,
        page,
        is_executed: false,
    };
    match draw.below(6) {
        0 => page(200, Page::Status),
        1 => page(200, Page::Html),
        2 => page(404, Page::Html),
        3 => page(404, Page::Object),
        // The answer of an admission plugin that fails.
        _ => Fault::Replaced {
            status: 500,
            page: Page::Status,
            is_executed: true,
        },
    }
}

/// A body that seems to end early.
fn ended(draw: &mut Draw) -> Fault {
    Fault::EndBody(usize::try_from(draw.below(4000)).unwrap())
}

/// Flow control, with any retry time that fits into the header.
fn busy(draw: &mut Draw) -> Fault {
    Fault::Error {
        status: 429,
        reason: "TooManyRequests",
        message: "too many requests",
        retry_after: draw.one(&[None, Some(0), Some(1), Some(u64::MAX)]),
    }
}

fn request_fault(draw: &mut Draw) -> Fault {
    match draw.below(7) {
        0 => Fault::Late(draw.milliseconds(1, 12_000)),
        1 => Fault::Delayed(draw.milliseconds(1, 12_000)),
        2 => Fault::CutBefore,
        3 => Fault::CutAfter,
        4 => Fault::Twice,
        5 => Fault::Hang,
        _ => error(draw),
    }
}

fn error(draw: &mut Draw) -> Fault {
    let (status, reason) = draw.one(&[
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (409, "Conflict"),
        (410, "Expired"),
        (422, "Invalid"),
        (429, "TooManyRequests"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (502, ""),
        (503, "ServiceUnavailable"),
        (503, "ServiceUnavailable"),
        (504, "Timeout"),
    ]);
    let may_name_a_time = matches!(status, 429 | 503) && draw.percent(60);
    Fault::Error {
        status,
        reason,
        message: "the fault layer says no",
        retry_after: may_name_a_time.then(|| draw.below(4)),
    }
}

fn stream_fault(draw: &mut Draw) -> Fault {
    match draw.below(11) {
        0 => Fault::CutBody(usize::try_from(draw.below(4000)).unwrap()),
        1 | 2 => Fault::EndWatch(draw.milliseconds(0, 5_000)),
        3 | 4 => Fault::Lag(draw.milliseconds(1, 8_000)),
        5 => Fault::EventsTwice,
        6 => Fault::EventsSwapped,
        7 | 8 => Fault::DeletedLate,
        9 => replaced(draw),
        _ => error(draw),
    }
}

fn forward_fault(draw: &mut Draw, shape: &Shape) -> Fault {
    match draw.below(6) {
        0..3 => Fault::CutDown(usize::try_from(draw.below(160)).unwrap()),
        3 => Fault::CutUp(usize::try_from(draw.below(60)).unwrap()),
        4 => Fault::Meanwhile(disturbance(draw, shape)),
        _ => request_fault(draw),
    }
}

/// A disturbance in the cluster.
pub(crate) fn disturbance(draw: &mut Draw, shape: &Shape) -> Disturbance {
    let ordinal = draw.below(u64::try_from(shape.replicas).unwrap());
    let namespace = shape.namespace.to_owned();
    let pod = format!("{NAME}-{ordinal}");
    match draw.below(16) {
        13 => Disturbance::Cordon {
            node: format!("node-{}", 1 + draw.below(2)),
            is_cordoned: draw.percent(60),
        },
        14..16 => {
            let when = match draw.below(4) {
                0 => When::Unready,
                1 => When::Terminating,
                2 => When::FromRun(1),
                _ => When::Away(Pods::of(NAME).ordinal(0)),
            };
            let conditional = (when, other_reply(draw));
            Disturbance::ServeWhen(replica(ordinal), Box::new(conditional))
        }
        0 => Disturbance::Crash(namespace, pod, draw.one(&[0, 1, 137])),
        1..4 => Disturbance::Delete {
            namespace,
            pod,
            at_once: draw.percent(50),
        },
        4 => Disturbance::Usurp(namespace, pod),
        5 => Disturbance::EditTemplate(namespace, NAME.to_owned()),
        6 => Disturbance::Scale(
            namespace,
            NAME.to_owned(),
            i64::try_from(1 + draw.below(MOST_REPLICAS)).unwrap(),
        ),
        7 => Disturbance::Serve(replica(ordinal), other_reply(draw)),
        8 => Disturbance::Serve(Pods::of(NAME), other_reply(draw)),
        9 => Disturbance::Script(replica(ordinal), Box::new(bad_script(draw))),
        10 => Disturbance::Compact {
            drops_watches: draw.percent(80),
        },
        11 => Disturbance::DropWatches,
        _ => Disturbance::Freeze(draw.milliseconds(10, 20_000)),
    }
}

/// A disturbance right before an operation.
pub(crate) fn upheaval(draw: &mut Draw, shape: &Shape) -> Upheaval {
    let ordinal = draw.below(u64::try_from(shape.replicas).unwrap());
    let namespace = shape.namespace.to_owned();
    let pod = format!("{NAME}-{ordinal}");
    let leave = Disturbance::Delete {
        namespace: namespace.clone(),
        pod: pod.clone(),
        at_once: false,
    };
    let disturbances = match draw.below(5) {
        // A terminating pod still reports that it is Ready.
        0..2 => vec![leave],
        2 => vec![Disturbance::Usurp(namespace, pod)],
        // The set has the right number of pods, but one belongs to another owner and one is surplus.
        3 => {
            let fewer = (shape.replicas - 1).max(1);
            let lowest = format!("{NAME}-0");
            vec![
                Disturbance::Usurp(namespace.clone(), lowest),
                Disturbance::Scale(namespace, NAME.to_owned(), fewer),
            ]
        }
        _ => vec![disturbance(draw, shape)],
    };
    let longest = draw.one(&[1, 1_000, 15_000]);
    let head_start = draw.milliseconds(1, longest);
    Upheaval {
        disturbances,
        head_start,
    }
}

fn other_reply(draw: &mut Draw) -> Reply {
    match draw.below(7) {
        0..3 => Reply::ok("other data\n"),
        3 => Reply::ok(""),
        4 => Reply::ok(DATA).closing_after(draw.below(20)),
        5 => Reply::ok(DATA).after(draw.milliseconds(1, 9_000)),
        _ => Reply::refused(),
    }
}

fn bad_script(draw: &mut Draw) -> PodScript {
    let script = PodScript::default().stop_after(Duration::from_secs(1));
    match draw.below(4) {
        0 => script.pull_fails("manifest unknown"),
        1 => script.never_ready("HTTP probe failed with statuscode: 500"),
        2 => script.crashes(draw.milliseconds(1, 3_000), 1, "oh no\n"),
        _ => script.unschedulable("0/1 nodes are available: 1 Insufficient cpu."),
    }
}
