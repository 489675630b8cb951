//! `chaos`: what looks like a fault, a recovery or the same data, and is none.

mod alone;
mod connections;
mod data;
mod figures;
mod others;
mod proof;
mod restoration;
mod safety;
mod template;

use std::time::Duration;

use apiserver_model::PodScript;

use super::{Scene, Told};

/// Long enough that a prober sees what is only so for a while, on a loaded machine, too.
const WHILE: Duration = Duration::from_secs(2);

/// Every probe costs a test's time, so that they come often.
const CHAOS: [&str; 4] = ["chaos", "--yes", "--probe-interval", "50ms"];

/// A pod that is away for a while.
fn slow() -> PodScript {
    PodScript::default().start_after(WHILE)
}

/// One experiment.
pub(super) async fn chaos(scene: &Scene, flags: &[&str]) -> Told {
    scene.told(&[&CHAOS[..], flags].concat()).await
}
