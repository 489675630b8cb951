//! The requested experiment: from the flags, the configuration file, or defaults.

use std::time::Duration;

use crate::chaos::{ChaosRequest, OlderRun};
use crate::cli::{ChaosArgs, TargetArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::fault::Fault;
use crate::figures::milliseconds;
use crate::ops::Verification;
use crate::report::{ExperimentSettings, Selection};

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
    let typed = &arguments.experiment;
    let given = typed.or(&config.chaos);
    let fault = (!arguments.control).then(|| given.fault.unwrap_or(Fault::Delete));
    let max_recovery = given.max_recovery.filter(|_| fault.is_some());
    Ok(ChaosRequest {
        identity,
        verification,
        settings: ExperimentSettings {
            dry_run: arguments.dry_run,
            fault,
            selection: selection(&typed.target, given.target, fault, draw)?,
            allow_disruption: arguments.allow_disruption,
            pause_ms: milliseconds(given.pause.unwrap_or(PAUSE)),
            control_ms: fault.is_none().then(|| milliseconds(arguments.lasting)),
            probe_interval_ms: milliseconds(given.probe_interval.unwrap_or(PROBE_INTERVAL)),
            max_outage_ms: given.max_outage.map(milliseconds),
            max_recovery_ms: max_recovery.map(milliseconds),
        },
        repeat: given.repeat,
        older,
    })
}

/// The rule that chooses the targets: the one that was typed, or else that of the file, which applies only
/// to faults on a single pod.
fn selection(
    typed: &TargetArgs,
    given: TargetArgs,
    fault: Option<Fault>,
    draw: impl FnOnce() -> u64,
) -> Result<Selection, CommandError> {
    let Some(fault) = fault else {
        return Ok(Selection::First);
    };
    if fault.targets_workload() {
        if typed.is_given() {
            return Err(CommandError::usage(
                format!("`{fault}` affects every pod, so none can be selected"),
                "leave out `--pod`, `--all-in-turn` and `--random`, or choose another `--fault`",
            ));
        }
        return Ok(Selection::First);
    }
    Ok(match given {
        TargetArgs { pod: Some(pod), .. } => Selection::Pod { pod },
        TargetArgs {
            all_in_turn: true, ..
        } => Selection::AllInTurn,
        TargetArgs {
            random: true, seed, ..
        } => Selection::Random {
            seed: seed.unwrap_or_else(draw),
        },
        _ => Selection::First,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::documented_default;
    use super::*;
    use crate::cli::parse_chaos;
    use crate::config;
    use crate::expectation::Expectation;
    use crate::values;

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

    /// The default that the command line's help states for a flag, and that the documents state for its key.
    fn stated(key: &str) -> [String; 2] {
        let help = include_str!("../../docs/cli-reference.md");
        let flag = format!("--{} <", key.replace('_', "-"));
        let (_, help) = help.split_once(&flag).unwrap();
        let (_, default) = help.split_once("[default: ").unwrap();
        let default = default.split(']').next().unwrap();
        [default, documented_default(key)].map(str::to_owned)
    }

    #[test]
    fn help_and_documents_state_the_defaults_of_the_code() {
        for (key, default) in [("pause", PAUSE), ("probe_interval", PROBE_INTERVAL)] {
            for text in stated(key) {
                assert_eq!(values::duration(&text), Ok(default), "{key}");
            }
        }
        let fault = request("", "").unwrap().settings.fault.unwrap();
        assert_eq!(stated("fault"), [fault.name(), fault.name()]);
    }

    #[test]
    fn by_default_the_first_pod_is_deleted_once() {
        let request = request("", "").unwrap();
        assert_eq!(request.settings.fault, Some(Fault::Delete));
        assert_eq!(request.settings.selection, Selection::First);
        assert_eq!(request.repeat, None);
        assert_eq!(request.settings.probe_interval_ms, 100);
        assert_eq!(
            (
                request.settings.max_outage_ms,
                request.settings.max_recovery_ms
            ),
            (None, None)
        );
        assert!(!request.settings.allow_disruption);
    }

    #[test]
    fn the_file_goes_before_defaults_and_flags_before_the_file() {
        let configured = request("", FILE).unwrap();
        assert_eq!(configured.settings.fault, Some(Fault::Evict));
        assert_eq!(
            configured.settings.selection,
            Selection::Pod {
                pod: "web-1".to_owned()
            }
        );
        assert_eq!(configured.repeat, Some(3));
        assert_eq!(configured.settings.pause_ms, 1_000);
        assert_eq!(configured.settings.probe_interval_ms, 50);
        assert_eq!(configured.settings.max_outage_ms, Some(2_000));
        assert_eq!(configured.settings.max_recovery_ms, Some(9_000));

        let typed = request(
            "--fault kill --all-in-turn --repeat 5 --pause 0 --probe-interval 20ms \
             --max-outage 1s --max-recovery 4s --allow-disruption",
            FILE,
        )
        .unwrap();
        assert_eq!(typed.settings.fault, Some(Fault::Kill));
        assert_eq!(typed.settings.selection, Selection::AllInTurn);
        assert_eq!((typed.repeat, typed.settings.pause_ms), (Some(5), 0));
        assert_eq!(typed.settings.probe_interval_ms, 20);
        assert_eq!(typed.settings.max_outage_ms, Some(1_000));
        assert_eq!(typed.settings.max_recovery_ms, Some(4_000));
        assert!(typed.settings.allow_disruption);
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
                request.settings.selection,
                Selection::Random { seed },
                "{flags} {file}"
            );
        }
    }

    #[test]
    fn a_control_run_breaks_nothing_whatever_the_file_says() {
        let request = request("--control --for 1m", FILE).unwrap();
        assert_eq!(request.settings.fault, None);
        assert_eq!(request.settings.selection, Selection::First);
        assert_eq!(request.settings.control_ms, Some(60_000));
        assert_eq!(request.settings.max_recovery_ms, None);
        assert_eq!(request.settings.max_outage_ms, Some(2_000));
    }

    #[test]
    fn a_fault_that_takes_every_pod_leaves_no_choice() {
        assert!(request("--fault scale --pod web-0", "").is_err());
        assert!(request("--random", "chaos: {fault: restart}").is_err());
        let request = request("--fault restart", FILE).unwrap();
        assert_eq!(request.settings.selection, Selection::First);
    }
}
