//! The scenario of a seed: a workload, its pods, a sequence of operations, and the disturbances.

use std::time::Duration;

use apiserver_model::{Disturbance, Framing, PodScript, Pods, Reply, Rule};
use cryptoctl::fault::Fault;

use crate::draw::Draw;
use crate::happenings;
use crate::set::{NAME, Shape};

/// The data that healthy replicas serve.
pub(crate) const DATA: &str = "1\n22\n333\n4444\n55555\n666666\n7777777\n";

/// Between two faults of an experiment.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The largest number of replicas.
pub(crate) const MOST_REPLICAS: u64 = 5;

/// One of cryptoctl's operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `up`, of an image with this tag.
    Up { wait: bool, tag: u32 },
    /// `rollout status`.
    Rollout,
    /// `verify`.
    Verify,
    /// `chaos`.
    Chaos(Attack),
    /// `chaos --control`.
    Control,
}

/// The settings of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attack {
    pub(crate) fault: Fault,
    /// The number of faults, one pod after the other.
    pub(crate) repeat: u32,
    /// Between two probes of a replica.
    pub(crate) probe_interval: Duration,
}

impl Operation {
    /// The time that all of it may take: every fault with its recovery has the operation's time anew, and so has the
    /// restoration.
    pub(crate) fn longest(self, timeout: Duration) -> Duration {
        match self {
            Self::Chaos(attack) => (timeout + PAUSE) * (2 * attack.repeat + 1),
            _ => timeout,
        }
    }
}

/// An operation with its disturbances.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) operation: Operation,
    /// The time for it.
    pub(crate) timeout: Duration,
    /// Between client and server.
    pub(crate) faults: Vec<Rule>,
    /// In the cluster, so long after its start.
    pub(crate) happenings: Vec<(Duration, Disturbance)>,
    /// In the cluster, before its start: the state is already changing and is never complete during the operation.
    pub(crate) upheaval: Option<Upheaval>,
}

/// A disturbance in the cluster right before an operation.
#[derive(Debug, Clone)]
pub(crate) struct Upheaval {
    pub(crate) disturbances: Vec<Disturbance>,
    /// From then to the operation's start.
    pub(crate) head_start: Duration,
}

/// Everything that a seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// There are no disturbances, every replica answers, and the time is sufficient.
    pub(crate) is_calm: bool,
    pub(crate) shape: Shape,
    pub(crate) nodes: u64,
    /// The scripts of the pods of each ordinal; some may exist only for a time.
    pub(crate) scripts: Vec<PodScript>,
    /// The delay of the controllers.
    pub(crate) controllers_lag: Duration,
    /// What each replica answers.
    pub(crate) replies: Vec<Reply>,
    pub(crate) acts: Vec<Act>,
}

impl Scenario {
    /// Draws a scenario.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut draw = Draw::seeded(seed);
        let shape = Shape {
            namespace: draw.one(&["default", "default", "shop"]),
            replicas: i64::try_from(1 + draw.below(MOST_REPLICAS)).unwrap(),
            parallel: draw.percent(50),
        };
        // One scenario in six is without any fault, happening or strange answer: there the verdict must be decisive.
        let is_calm = draw.percent(16);
        // One in four is about an experiment whose disturbances begin only after it has started.
        let is_assault = !is_calm && draw.percent(25);
        let scripts = (0..MOST_REPLICAS)
            .map(|_| script(&mut draw, is_calm))
            .collect();
        let nodes = 1 + draw.below(2);
        let controllers_lag = if draw.percent(40) {
            draw.milliseconds(1, 2_000)
        } else {
            Duration::ZERO
        };
        let replies = (0..shape.replicas)
            .map(|_| {
                if is_assault {
                    Reply::ok(DATA)
                } else {
                    reply(&mut draw, is_calm)
                }
            })
            .collect();
        let acts = if is_assault {
            assault(&mut draw, &shape)
        } else {
            operations(&mut draw)
                .into_iter()
                .map(|operation| act(&mut draw, &shape, operation, is_calm))
                .collect()
        };
        Self {
            seed,
            is_calm,
            shape,
            nodes,
            scripts,
            controllers_lag,
            replies,
            acts,
        }
    }
}

/// Every replica has its own pace. Some take long to stop, so that others become Ready meanwhile.
fn script(draw: &mut Draw, is_calm: bool) -> PodScript {
    let slowest_stop = draw.one(&[6_000, 6_000, 25_000]);
    let mut script = PodScript::default()
        .start_after(draw.milliseconds(0, 4_000))
        .ready_after(draw.milliseconds(0, 6_000))
        .stop_after(draw.milliseconds(0, slowest_stop));
    if draw.percent(10) {
        // It recovers by itself.
        script = script
            .crashes(draw.milliseconds(10, 1_000), 1, "oh\n")
            .crashes_times(1);
    }
    if !is_calm && draw.percent(12) {
        script = script.mirrored();
    }
    if !is_calm && draw.percent(12) {
        script = script.ignores_sigterm();
    }
    script
}

/// Mostly the data; sometimes something else. In a calm scenario only what has a decisive verdict.
fn reply(draw: &mut Draw, is_calm: bool) -> Reply {
    if draw.percent(if is_calm { 94 } else { 88 }) {
        let framing = draw.one(&[Framing::Length, Framing::Chunked]);
        return Reply::ok(DATA).framed(framing);
    }
    match draw.below(if is_calm { 3 } else { 8 }) {
        0 => Reply::ok(format!("{DATA}8\n")),
        1 => Reply::ok(""),
        2 => Reply::new(draw.one(&[301, 404, 500, 503]), DATA),
        3 => Reply::refused(),
        4 => Reply::silence(),
        5 => Reply::ok(DATA)
            .framed(draw.one(&[Framing::Length, Framing::Chunked, Framing::Close]))
            .closing_after(draw.below(DATA.len() as u64)),
        6 => Reply::ok(DATA).cut_after(draw.below(DATA.len() as u64)),
        _ => Reply::ok(DATA).framed(Framing::Close),
    }
}

fn attack(draw: &mut Draw) -> Operation {
    let fault = if draw.percent(35) {
        Fault::Delete
    } else {
        draw.one(&Fault::ALL)
    };
    let milliseconds = draw.one(&[1_000, 1_000, 2_000, 5_000]);
    Operation::Chaos(Attack {
        fault,
        repeat: draw.one(&[1, 1, 1, 2, 3]),
        probe_interval: Duration::from_millis(milliseconds),
    })
}

fn operations(draw: &mut Draw) -> Vec<Operation> {
    let up = |wait, tag| Operation::Up { wait, tag };
    let (first, second) = (attack(draw), attack(draw));
    let all = [
        vec![up(true, 1)],
        vec![up(true, 1), Operation::Verify],
        vec![up(false, 1), Operation::Rollout, Operation::Verify],
        vec![up(true, 1), up(true, 1)],
        vec![up(true, 1), up(true, 2), Operation::Verify],
        vec![up(true, 1), up(false, 2), Operation::Rollout],
        vec![up(true, 1), Operation::Rollout, Operation::Rollout],
        vec![up(true, 1), first],
        vec![up(true, 1), second],
        vec![up(true, 1), first, second],
        vec![up(true, 1), Operation::Verify, up(true, 1)],
    ];
    draw.one(&all)
}

/// An experiment on a healthy workload, with disturbances after its start.
fn assault(draw: &mut Draw, shape: &Shape) -> Vec<Act> {
    let quiet = |operation, timeout| Act {
        operation,
        timeout,
        faults: Vec::new(),
        happenings: Vec::new(),
        upheaval: None,
    };
    let wait = true;
    let up = quiet(Operation::Up { wait, tag: 1 }, Duration::from_mins(5));
    let operation = attack(draw);
    let timeout = draw.one(&[120, 60, 60, 15]);
    let mut chaos = quiet(operation, Duration::from_secs(timeout));
    if draw.percent(30) {
        chaos.faults.push(happenings::write(draw, operation, shape));
    }
    if draw.percent(25) {
        chaos.faults.push(happenings::fault(draw, shape, operation));
    }
    chaos.happenings = (0..draw.below(4))
        .map(|_| {
            let after = draw.milliseconds(3_000, 40_000);
            (after, happenings::disturbance(draw, shape))
        })
        .collect();
    vec![up, chaos]
}

fn act(draw: &mut Draw, shape: &Shape, operation: Operation, is_calm: bool) -> Act {
    // Enough for every replica in turn, or hardly enough for anything.
    let timeout = if is_calm || draw.percent(75) {
        Duration::from_mins(5)
    } else {
        draw.milliseconds(100, 20_000)
    };
    let mut act = Act {
        operation,
        timeout,
        faults: Vec::new(),
        happenings: Vec::new(),
        upheaval: None,
    };
    if is_calm {
        return act;
    }
    // Nothing is there before the first `up`.
    let finds_something = !matches!(operation, Operation::Up { tag: 1, .. });
    // Read-only operations are useful only if there is something to see.
    let often = if operation == Operation::Rollout {
        75
    } else {
        35
    };
    if finds_something && draw.percent(often) {
        act.upheaval = Some(happenings::upheaval(draw, shape));
    }
    // Sometimes the first `up` has no disturbance, so that the others have something to work on.
    let spared = matches!(operation, Operation::Up { tag: 1, .. }) && draw.percent(50);
    if !spared {
        act.faults = (0..draw.below(4))
            .map(|_| happenings::fault(draw, shape, operation))
            .collect();
        if draw.percent(25) {
            act.faults
                .insert(0, happenings::write(draw, operation, shape));
            if draw.percent(30) {
                // The read after the lost answer returns another object.
                act.faults.push(happenings::another_object(draw));
            }
        }
        act.happenings = (0..draw.below(3))
            .map(|_| {
                let at_once = draw.percent(30);
                let after = draw.milliseconds(0, if at_once { 1 } else { 20_000 });
                (after, happenings::disturbance(draw, shape))
            })
            .collect();
    }
    act
}

/// All pods of the workload with this ordinal.
pub(crate) fn replica(ordinal: u64) -> Pods {
    Pods::of(NAME).ordinal(ordinal)
}
