//! Whole operations against the model of a cluster. A seed draws the disturbances, and the
//! invariants are computed from the model's own truth.
//!
//! `SIMULATION_SEEDS` is the number of seeds to try (1,000 by default); `SIMULATION_SEED` replays
//! one and prints it.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "in helpers of tests, too, a broken assumption is to fail the test at once"
)]

mod draw;
mod happenings;
mod invariants;
mod panics;
mod run;
mod scenario;
mod seeds;
mod set;
mod transcript;
mod truth;

/// The invariants hold for every seed.
#[test]
fn every_claim_is_true_for_every_seed() {
    seeds::try_all();
}

/// The same seed gives the same requests, events and verdicts, byte for byte.
#[test]
fn a_seed_replays_byte_for_byte() {
    for seed in 1..=20 {
        let once = transcript::of(&run::run(seed));
        let again = transcript::of(&run::run(seed));
        let mut lines = once.lines().zip(again.lines());
        let differs = lines.find(|(one, other)| one != other);
        assert!(
            once == again,
            "seed {seed} differs first here: {differs:#?}"
        );
    }
}

/// Without a fault, every answer is right, and that is what a control run says.
#[test]
fn a_control_run_of_a_healthy_workload_reports_no_disturbance() {
    let calm = (1..)
        .map(scenario::Scenario::drawn)
        .filter(|drawn| drawn.is_calm);
    for mut calm in calm.take(20) {
        let mut control = calm.acts[0].clone();
        control.operation = scenario::Operation::Control;
        calm.acts.truncate(1);
        calm.acts.push(control);
        let run = run::run_scenario(calm);
        assert_eq!(
            invariants::broken(&run),
            Vec::<String>::new(),
            "{:#?}",
            run.scenario
        );
    }
}
