//! `cryptoctl up` beside `kubectl apply --server-side`: random manifests, random other managers, random choices
//! about what is in conflict, and the same object in the end.
//!
//! `TWIN_SEEDS` is the number of seeds to try, from `TWIN_FIRST_SEED` on; `TWIN_SEED` replays one and prints it.

mod case;
mod compare;
mod conflicts;
mod differences;
mod manifest;
mod others;
mod path;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use self::case::Case;
use crate::harness::Namespace;

const SEED: &str = "TWIN_SEED";
const SEEDS: &str = "TWIN_SEEDS";
const FIRST: &str = "TWIN_FIRST_SEED";
const USUAL: u64 = 24;
/// How many cases run at once: most of the time, each waits for a process.
const THREADS: usize = 4;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

#[test]
fn an_apply_leaves_what_an_apply_of_kubectl_leaves() {
    let ours = Namespace::new("twin-a");
    let theirs = ours.beside("twin-b");
    for namespace in [&ours, &theirs] {
        namespace.kubectl(&["create", "namespace", &namespace.name]);
    }
    let (first, count) = match number(SEED) {
        Some(seed) => (seed, 1),
        None => (number(FIRST).unwrap_or(1), number(SEEDS).unwrap_or(USUAL)),
    };
    let (next, failures) = (AtomicU64::new(first), Mutex::new(Vec::new()));
    let try_all = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            let mut case = Case::new(seed, &ours, &theirs);
            let ended = case.play();
            if let Err(wrong) = ended {
                let replay = format!("replay: {SEED}={seed} cargo sandbox test --keep -- twin");
                let text = format!("seed {seed}: {wrong}\n{}\n{replay}", case.said());
                failures.lock().unwrap().push(text);
            } else if number(SEED).is_some() {
                println!("{}", case.said());
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(try_all);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
