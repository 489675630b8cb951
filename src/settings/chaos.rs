//! The requested experiment: from the flags, the configuration file, or defaults.

use std::time::Duration;

use crate::chaos::{ChaosRequest, OlderRun};
use crate::cli::{ChaosArgs, FaultArgs};
use crate::config::{Config, Turn};
use crate::error::CommandError;
use crate::fault::Fault;
use crate::ops::Verification;
use crate::report::Selection;

/// The pause between a recovery and the next fault.
const PAUSE: Duration = Duration::from_secs(5);
/// The time between two probes of a replica.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);

/// The requested experiment; `draw` returns a seed if none was given.
///
/// # Errors
/// A usage error when a pod is selected for a fault that affects every pod.
pub fn experiment(
    arguments: &ChaosArgs,
    config: &Config,
    verification: Verification,
    older: Option<OlderRun>,
    identity: String,
    draw: impl FnOnce() -> u64,
) -> Result<ChaosRequest, CommandError> {
    let configured = &config.chaos;
    let (flags, measures) = (&arguments.faults, &arguments.measures);
    let fault = (!flags.control).then(|| flags.fault.or(configured.fault).unwrap_or(Fault::Delete));
    let breaks = fault.is_some();
    Ok(ChaosRequest {
        identity,
        verification,
        fault,
        selection: selection(flags, configured.turn.as_ref(), fault, draw)?,
        repeat: flags.repeat.or(configured.repeat),
        is_dry_run: arguments.dry_run,
        pause: flags.pause.or(configured.pause).unwrap_or(PAUSE),
        control: flags.lasting,
        probe_interval: measures
            .probe_interval
            .or(configured.probe_interval)
            .unwrap_or(PROBE_INTERVAL),
        max_outage: measures.max_outage.or(configured.max_outage),
        max_recovery: measures
            .max_recovery
            .or(configured.max_recovery)
            .filter(|_| breaks),
        allows_disruption: flags.allow_disruption,
        older,
    })
}

fn selection(
    flags: &FaultArgs,
    configured: Option<&Turn>,
    fault: Option<Fault>,
    draw: impl FnOnce() -> u64,
) -> Result<Selection, CommandError> {
    let typed = match (&flags.pod, flags.all_in_turn, flags.random) {
        (Some(pod), ..) => Some(Turn::Pod(pod.clone())),
        (None, true, _) => Some(Turn::AllInTurn),
        (None, false, true) => Some(Turn::Random { seed: flags.seed }),
        (None, false, false) => None,
    };
    if let Some(fault) = fault.filter(|fault| fault.targets_workload()) {
        return match typed {
            // The file's selection applies only to faults that affect a single pod.
            None => Ok(Selection::First),
            Some(_) => Err(CommandError::usage(
                format!("`{fault}` affects every pod, so none can be selected"),
                "leave out `--pod`, `--all-in-turn` and `--random`, or choose another `--fault`",
            )),
        };
    }
    if fault.is_none() {
        return Ok(Selection::First);
    }
    Ok(match typed.or_else(|| configured.cloned()) {
        None => Selection::First,
        Some(Turn::Pod(pod)) => Selection::Pod { pod },
        Some(Turn::AllInTurn) => Selection::AllInTurn,
        Some(Turn::Random { seed }) => Selection::Random {
            seed: seed.unwrap_or_else(draw),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cli::parse_chaos;
    use crate::config;
    use crate::expectation::Expectation;

    const FILE: &str = "chaos: {fault: evict, pod: web-1, repeat: 3, pause: 1s, \
                        probe_interval: 50ms, max_outage: 2s, max_recovery: 9s}";

    fn request(flags: &str, file: &str) -> Result<ChaosRequest, CommandError> {
        let arguments = parse_chaos(flags).unwrap();
        let config = config::parse(Path::new("cryptoctl.yaml"), file).unwrap();
        let verification = Verification {
            expectations: vec![Expectation::of_path("/")],
            answer_time: Duration::from_secs(1),
            largest_body: 1,
            concurrency: 1,
            shows_content: false,
            baseline: None,
            allows_unready: false,
        };
        experiment(
            &arguments,
            &config,
            verification,
            None,
            String::new(),
            || 99,
        )
    }

    #[test]
    fn by_default_the_first_pod_is_deleted_once() {
        let request = request("", "").unwrap();
        assert_eq!(request.fault, Some(Fault::Delete));
        assert_eq!(request.selection, Selection::First);
        assert_eq!(request.repeat, None);
        assert_eq!(request.probe_interval, Duration::from_millis(100));
        assert_eq!((request.max_outage, request.max_recovery), (None, None));
        assert!(!request.allows_disruption);
    }

    #[test]
    fn the_file_goes_before_defaults_and_flags_before_the_file() {
        let configured = request("", FILE).unwrap();
        assert_eq!(configured.fault, Some(Fault::Evict));
        assert_eq!(
            configured.selection,
            Selection::Pod {
                pod: "web-1".to_owned()
            }
        );
        assert_eq!(configured.repeat, Some(3));
        assert_eq!(configured.pause, Duration::from_secs(1));
        assert_eq!(configured.probe_interval, Duration::from_millis(50));
        assert_eq!(configured.max_outage, Some(Duration::from_secs(2)));
        assert_eq!(configured.max_recovery, Some(Duration::from_secs(9)));

        let typed = request(
            "--fault kill --all-in-turn --repeat 5 --pause 0 --probe-interval 20ms \
             --max-outage 1s --max-recovery 4s --allow-disruption",
            FILE,
        )
        .unwrap();
        assert_eq!(typed.fault, Some(Fault::Kill));
        assert_eq!(typed.selection, Selection::AllInTurn);
        assert_eq!((typed.repeat, typed.pause), (Some(5), Duration::ZERO));
        assert_eq!(typed.probe_interval, Duration::from_millis(20));
        assert_eq!(typed.max_outage, Some(Duration::from_secs(1)));
        assert_eq!(typed.max_recovery, Some(Duration::from_secs(4)));
        assert!(typed.allows_disruption);
    }

    #[test]
    fn a_seed_is_drawn_only_when_none_was_given() {
        let table = [
            ("--random", "", 99),
            ("--random --seed 7", "", 7),
            ("", "chaos: {select: random}", 99),
            ("", "chaos: {select: random, seed: 8}", 8),
            ("--random", "chaos: {select: random, seed: 8}", 99),
        ];
        for (flags, file, seed) in table {
            let request = request(flags, file).unwrap();
            assert_eq!(
                request.selection,
                Selection::Random { seed },
                "{flags} {file}"
            );
        }
    }

    #[test]
    fn a_control_run_breaks_nothing_whatever_the_file_says() {
        let request = request("--control --for 1m", FILE).unwrap();
        assert_eq!(request.fault, None);
        assert_eq!(request.selection, Selection::First);
        assert_eq!(request.control, Duration::from_mins(1));
        assert_eq!(request.max_recovery, None);
        assert_eq!(request.max_outage, Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_fault_that_takes_every_pod_leaves_no_choice() {
        assert!(request("--fault scale --pod web-0", "").is_err());
        assert!(request("--random", "chaos: {fault: restart}").is_err());
        let request = request("--fault restart", FILE).unwrap();
        assert_eq!(request.selection, Selection::First);
    }
}
