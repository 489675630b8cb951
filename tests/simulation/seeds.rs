//! Tries many seeds on two threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::{invariants, run, transcript};

const SEED: &str = "SIMULATION_SEED";
const SEEDS: &str = "SIMULATION_SEEDS";
const FIRST: &str = "SIMULATION_FIRST_SEED";
const USUAL: u64 = 1_000;
/// At most this many failures are shown.
const SHOWN: usize = 3;
/// At most this many requests and events of a failure are shown.
const LINES: usize = 60;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

/// Tries one seed; returns what is wrong with it.
fn try_one(seed: u64, lines: usize) -> Option<String> {
    let run = run::run(seed);
    let wrong = invariants::broken(&run);
    if wrong.is_empty() {
        return None;
    }
    let mut text = format!("seed {seed}: {}\n{:#?}\n", wrong.join("\n  "), run.scenario);
    for played in &run.played {
        text += &transcript::act(&run, played, lines);
    }
    Some(text + &format!("replay: {SEED}={seed} cargo test --test simulation\n"))
}

/// Tries all seeds and fails with the first ones that break an invariant.
pub(crate) fn try_all() {
    if let Some(seed) = number(SEED) {
        eprintln!("{}", transcript::of(&run::run(seed)));
        let wrong = try_one(seed, LINES);
        assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
        return;
    }
    let first = number(FIRST).unwrap_or(1);
    let last = first + number(SEEDS).unwrap_or(USUAL);
    let (next, failures) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        return;
                    }
                    if let Some(failure) = try_one(seed, LINES) {
                        let mut failures = failures.lock().unwrap();
                        failures.push((seed, failure));
                        if failures.len() >= SHOWN {
                            next.store(last, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    eprintln!("{} seeds in {:?}", last - first, started.elapsed());
    let texts: Vec<String> = failures.into_iter().map(|(_, failure)| failure).collect();
    assert!(texts.is_empty(), "{}", texts.join("\n\n"));
}
