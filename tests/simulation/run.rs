//! Runs a scenario and keeps every event and request.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use apiserver_model::{ApiServer, Change, Request, Served};
use cryptoctl::chaos::{self, ChaosRequest};
use cryptoctl::cluster::{Cluster, TimeLimits};
use cryptoctl::emitter::Emitter;
use cryptoctl::event::Event;
use cryptoctl::expectation::Expectation;
use cryptoctl::figures::milliseconds;
use cryptoctl::ops::{self, Context, OpsError, UpOptions, Verification, Workload};
use cryptoctl::report::{
    ChaosReport, ExperimentSettings, RolloutReport, Selection, UpReport, VerifyReport,
};
use futures::FutureExt;
use tokio::time::Instant;

use crate::panics;
use crate::scenario::{Act, Operation, PAUSE, Scenario, replica};
use crate::set;

/// The time for one request, and how long one is repeated.
pub(crate) const LIMITS: TimeLimits = TimeLimits {
    request: Duration::from_secs(5),
    patience: Duration::from_secs(20),
};

/// How long a control run watches.
const CONTROL: Duration = Duration::from_secs(5);

/// More requests than any scenario needs; a storm ends here.
pub(crate) const MOST_REQUESTS: usize = 6_000;

/// The result of an operation.
#[derive(Debug)]
pub(crate) enum Said {
    Up(Result<UpReport, OpsError>),
    Rollout(Result<RolloutReport, OpsError>),
    Verify(Result<VerifyReport, OpsError>),
    Chaos(Result<Box<ChaosReport>, OpsError>),
    /// It did not end.
    Hung,
    Panicked,
}

/// One executed operation.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) act: Act,
    pub(crate) start: Instant,
    pub(crate) end: Instant,
    /// Its requests, as indexes of the journal.
    pub(crate) requests: std::ops::Range<usize>,
    pub(crate) events: Vec<Event>,
    pub(crate) said: Said,
}

/// An executed scenario, and the model's own truth.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) scenario: Scenario,
    pub(crate) played: Vec<Played>,
    pub(crate) requests: Vec<Request>,
    pub(crate) disturbances: Vec<(usize, Instant, String)>,
    pub(crate) history: Vec<Change>,
    pub(crate) served: Vec<Served>,
    pub(crate) panics: Vec<String>,
    /// The beginning of time.
    pub(crate) start: Instant,
}

/// Plays the scenario of a seed.
pub(crate) fn run(seed: u64) -> Run {
    run_scenario(Scenario::drawn(seed))
}

/// Plays a scenario on this thread, in paused time.
pub(crate) fn run_scenario(scenario: Scenario) -> Run {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let (mut run, panics) = panics::noticed(|| runtime.block_on(play(scenario)));
    run.panics = panics;
    run
}

async fn play(scenario: Scenario) -> Run {
    let start = Instant::now();
    let server = ApiServer::seeded(scenario.seed);
    server.answer_at_most(MOST_REQUESTS);
    server.slow_controllers(scenario.controllers_lag);
    for number in 2..=scenario.nodes {
        server.add_node(&format!("node-{number}"));
    }
    for (ordinal, script) in scenario.scripts.iter().enumerate() {
        server.script(replica(ordinal as u64), script.clone());
    }
    for (ordinal, reply) in scenario.replies.iter().enumerate() {
        server.serve(replica(ordinal as u64), "/", reply.clone());
    }
    let mut played = Vec::new();
    for act in scenario.acts.clone() {
        played.push(play_act(&server, &scenario, act).await);
    }
    Run {
        scenario,
        played,
        requests: server.requests(),
        disturbances: server.disturbances(),
        history: server.history(),
        served: server.served(),
        panics: Vec::new(),
        start,
    }
}

async fn play_act(server: &ApiServer, scenario: &Scenario, act: Act) -> Played {
    if let Some(upheaval) = &act.upheaval {
        for disturbance in &upheaval.disturbances {
            server.happen(disturbance);
        }
        tokio::time::sleep(upheaval.head_start).await;
    }
    for rule in &act.faults {
        server.fault(rule.clone());
    }
    let start = Instant::now();
    let first = server.requests().len();
    let (emitter, mut events) = Emitter::new();
    let work = perform(server, scenario, act.operation, act.timeout, emitter);
    let work = AssertUnwindSafe(work).catch_unwind();
    let happenings = async {
        for (after, disturbance) in &in_order(&act) {
            tokio::time::sleep_until(start + *after).await;
            server.happen(disturbance);
        }
        std::future::pending::<()>().await;
    };
    // Far later than any operation can end.
    let latest = start + act.operation.longest(act.timeout) + Duration::from_mins(10);
    let said = tokio::select! {
        biased;
        said = work => said.unwrap_or(Said::Panicked),
        () = happenings => Said::Hung,
        () = tokio::time::sleep_until(latest) => Said::Hung,
    };
    let end = Instant::now();
    server.heal();
    server.thaw();
    let mut seen = Vec::new();
    // The emitter is dropped, so the events end; an aborting task may still hold one.
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        while events.receive(&mut seen, 1000).await > 0 {}
    })
    .await;
    Played {
        act,
        start,
        end,
        requests: first..server.requests().len(),
        events: seen,
        said,
    }
}

fn in_order(act: &Act) -> Vec<(Duration, apiserver_model::Disturbance)> {
    let mut happenings = act.happenings.clone();
    happenings.sort_by_key(|(after, _)| *after);
    happenings
}

async fn perform(
    server: &ApiServer,
    scenario: &Scenario,
    operation: Operation,
    timeout: Duration,
    emitter: Emitter,
) -> Said {
    let cluster = Cluster::over(server.client(), "http://model", LIMITS, emitter.clone());
    let context = Context::new(cluster, emitter, None, timeout);
    let workload = set::workload(&scenario.shape);
    let verification = Verification {
        expectations: vec![Expectation::of_path("/")],
        answer_time: Duration::from_secs(10),
        largest_body: 1 << 20,
        concurrency: 16,
        shows_content: false,
        baseline: None,
        allows_unready: false,
    };
    match operation {
        Operation::Up { wait, tag } => {
            let set = set::set(&scenario.shape, tag);
            let options = UpOptions {
                dry_run: false,
                wait,
                delete_data: false,
                accepted: Vec::new(),
                saved: None,
            };
            let planned = ops::plan_up(&context, &set, &options).await;
            Said::Up(match planned {
                Ok(plan) => ops::up(&context, &set, options, plan).await,
                Err(error) => Err(error),
            })
        }
        Operation::Rollout => Said::Rollout(ops::rollout_status(&context, &workload).await),
        Operation::Verify => Said::Verify(ops::verify(&context, &workload, &verification).await),
        Operation::Chaos(_) | Operation::Control => {
            let request = experiment(operation, verification);
            let said = Box::pin(chaos(&context, &workload, request)).await;
            Said::Chaos(said.map(Box::new))
        }
    }
}

/// The request of `chaos`; a control run injects no fault.
fn experiment(operation: Operation, verification: Verification) -> ChaosRequest {
    let attack = match operation {
        Operation::Chaos(attack) => Some(attack),
        _ => None,
    };
    ChaosRequest {
        identity: "simulation".to_owned(),
        verification,
        settings: ExperimentSettings {
            fault: attack.map(|attack| attack.fault),
            selection: if attack.is_some_and(|attack| !attack.fault.targets_workload()) {
                Selection::AllInTurn
            } else {
                Selection::First
            },
            pause_ms: milliseconds(PAUSE),
            control_ms: attack.is_none().then(|| milliseconds(CONTROL)),
            probe_interval_ms: milliseconds(attack.map_or(PAUSE, |attack| attack.probe_interval)),
            ..ExperimentSettings::default()
        },
        repeat: attack.map(|attack| attack.repeat),
        older: None,
    }
}

/// As the command does: the pod is selected first, then deleted.
async fn chaos(
    context: &Context,
    workload: &Workload,
    request: ChaosRequest,
) -> Result<ChaosReport, OpsError> {
    let plan = chaos::plan(context, workload, request).await?;
    Box::pin(chaos::run(context, &plan)).await
}
