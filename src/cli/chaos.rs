//! Arguments of `chaos`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{ArgGroup, Args, ValueEnum, ValueHint};

use super::parsing::expected;
use super::{QuestionArgs, ReportFileArgs, WorkloadArgs};
use crate::fault::Fault;
use crate::values;

/// The headings of the flags.
const FAULTS: &str = "Fault options";
const MEASUREMENTS: &str = "Measurement options";

/// Arguments of `chaos`. The groups say what contradicts `--control` and `--restore`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("target").args(["pod", "all_in_turn", "random"]),
    group = ArgGroup::new("faults").multiple(true).args([
        "fault", "pod", "all_in_turn", "random", "seed", "repeat", "pause", "max_recovery", "compare",
        "tolerance", "allow_disruption",
    ]),
    group = ArgGroup::new("probing").multiple(true).args([
        "control", "lasting", "probe_interval", "max_outage", "dry_run", "path", "port", "expect_sha256",
        "report",
    ]),
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each flag is typed or not, and clap checks their contradictions"
)]
pub struct ChaosArgs {
    /// The workload.
    #[command(flatten)]
    pub workload: WorkloadArgs,
    /// Show what would be done, and to which pods; inject no fault
    #[arg(long)]
    pub dry_run: bool,
    /// Undo what a killed experiment has left behind; inject no fault
    #[arg(long, conflicts_with_all = ["faults", "probing"])]
    pub restore: bool,
    /// The requests to every replica.
    #[command(flatten)]
    pub question: QuestionArgs,
    /// What the configuration file may set, too.
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    /// Inject the fault even if another replica is not Ready or a disruption budget forbids it
    #[arg(long, help_heading = FAULTS, hide_short_help = true)]
    pub allow_disruption: bool,
    /// Only probe, without any fault: measures the background noise
    #[arg(long, help_heading = FAULTS, conflicts_with = "faults", hide_short_help = true)]
    pub control: bool,
    /// How long --control probes
    #[arg(long = "for", help_heading = FAULTS, value_name = "DURATION", default_value = "10s", requires = "control", conflicts_with = "faults", allow_hyphen_values = true, value_parser = expected(values::positive_duration), hide_short_help = true)]
    pub lasting: Duration,
    /// The earlier run to compare with.
    #[command(flatten)]
    pub compare: CompareArgs,
    /// Files to write.
    #[command(flatten)]
    pub files: ReportFileArgs,
}

/// The settings of an experiment that a flag or the configuration file gives; `None` where neither does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = FAULTS)]
pub struct ExperimentArgs {
    /// Fault to inject [default: delete]
    #[arg(long, value_name = "FAULT")]
    pub fault: Option<Fault>,
    /// The rule that chooses the targets.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Number of faults, never two at once [default: 1; each pod once with --all-in-turn]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, value_parser = expected(values::whole::<u32, 1, 4_294_967_295>))]
    pub repeat: Option<u32>,
    /// Pause between a recovery and the next fault [default: 5s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = expected(values::duration), hide_short_help = true)]
    pub pause: Option<Duration>,
    /// Longest acceptable outage of a replica
    #[arg(long, help_heading = MEASUREMENTS, value_name = "DURATION", allow_hyphen_values = true, value_parser = expected(values::positive_duration))]
    pub max_outage: Option<Duration>,
    /// Longest acceptable time until all replicas give the same answers again
    #[arg(long, help_heading = MEASUREMENTS, value_name = "DURATION", allow_hyphen_values = true, value_parser = expected(values::positive_duration))]
    pub max_recovery: Option<Duration>,
    /// Time between two probes of a replica, 20ms at least [default: 100ms]
    #[arg(long, help_heading = MEASUREMENTS, value_name = "DURATION", allow_hyphen_values = true, value_parser = expected(values::probe_interval), hide_short_help = true)]
    pub probe_interval: Option<Duration>,
}

impl ExperimentArgs {
    /// These settings, and others where they say nothing.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        let target = if self.target.is_given() {
            &self.target
        } else {
            &others.target
        };
        Self {
            fault: self.fault.or(others.fault),
            target: target.clone(),
            repeat: self.repeat.or(others.repeat),
            pause: self.pause.or(others.pause),
            max_outage: self.max_outage.or(others.max_outage),
            max_recovery: self.max_recovery.or(others.max_recovery),
            probe_interval: self.probe_interval.or(others.probe_interval),
        }
    }
}

/// The rule that chooses the targets. At most one of `pod`, `all_in_turn` and `random` is given, and
/// `seed` only with `random`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct TargetArgs {
    /// Target pod [default: the one with the lowest ordinal]
    #[arg(long, value_name = "NAME")]
    pub pod: Option<String>,
    /// Every pod, one after the other
    #[arg(long, hide_short_help = true)]
    pub all_in_turn: bool,
    /// Pick target pods at random
    #[arg(long, hide_short_help = true)]
    pub random: bool,
    /// Seed of an earlier run, to repeat its random choice
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "random",
        conflicts_with_all = ["pod", "all_in_turn"],
        allow_hyphen_values = true, value_parser = expected(values::whole::<u64, 0, { i64::MAX }>),
        hide_short_help = true
    )]
    pub seed: Option<u64>,
}

impl TargetArgs {
    /// Whether there is a rule.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self != Self::default()
    }
}

/// The earlier run to compare with.
#[derive(Debug, Args)]
#[command(next_help_heading = MEASUREMENTS)]
pub struct CompareArgs {
    /// Journal of an earlier run that this run must not be slower than
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub compare: Option<PathBuf>,
    /// How much slower than the earlier run is acceptable
    #[arg(long, value_name = "PERCENT", default_value = "20%", requires = "compare", allow_hyphen_values = true, value_parser = expected(share), hide_short_help = true)]
    pub tolerance: f64,
}

impl ValueEnum for Fault {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let facts = self.facts();
        Some(PossibleValue::new(facts.name).help(facts.help))
    }
}

/// A share, written as a percentage with or without its sign.
fn share(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=1000.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("a percentage from 0 to 1000, such as `20%`".to_owned()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    /// The arguments that follow `chaos`.
    pub(crate) fn parse(flags: &str) -> Result<ChaosArgs, clap::error::ErrorKind> {
        let words = ["cryptoctl", "chaos"].into_iter();
        let cli = Cli::try_parse_from(words.chain(flags.split_whitespace()));
        match cli.map_err(|error| error.kind())?.command {
            Command::Chaos(arguments) => Ok(arguments),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        use clap::error::ErrorKind::{ArgumentConflict, MissingRequiredArgument};
        let table = [
            ("--pod web-0 --all-in-turn", ArgumentConflict),
            ("--pod web-0 --random", ArgumentConflict),
            ("--random --all-in-turn", ArgumentConflict),
            ("--control --fault evict", ArgumentConflict),
            ("--control --pod web-0", ArgumentConflict),
            ("--control --repeat 2", ArgumentConflict),
            ("--control --allow-disruption", ArgumentConflict),
            ("--control --max-recovery 5s", ArgumentConflict),
            ("--restore --fault delete", ArgumentConflict),
            ("--restore --control", ArgumentConflict),
            ("--restore --dry-run", ArgumentConflict),
            ("--restore --path /keys", ArgumentConflict),
            ("--seed 7 --pod web-0", ArgumentConflict),
            ("--for 5s --all-in-turn", ArgumentConflict),
            ("--seed 7", MissingRequiredArgument),
            ("--for 5s", MissingRequiredArgument),
            ("--tolerance 5", MissingRequiredArgument),
        ];
        for (flags, expected) in table {
            assert_eq!(parse(flags).err(), Some(expected), "{flags}");
        }
    }

    /// The parser does not require a flag's companion if another argument contradicts the
    /// companion.
    #[test]
    fn no_flag_is_ignored_for_want_of_what_it_belongs_to() {
        let others = [
            "--fault evict",
            "--pod web-0",
            "--all-in-turn",
            "--random",
            "--repeat 2",
            "--pause 1s",
            "--allow-disruption",
            "--control",
            "--max-outage 1s",
            "--max-recovery 1s",
            "--probe-interval 1s",
            "--compare old.json",
            "--restore",
            "--dry-run",
            "--path /",
            "--port 80",
            "--report a.html",
        ];
        for (flag, needed) in [
            ("--for 5s", "--control"),
            ("--seed 7", "--random"),
            ("--tolerance 5", "--compare"),
        ] {
            let strangers = others.iter().filter(|other| !other.starts_with(needed));
            for one in strangers.clone() {
                for two in strangers.clone() {
                    let flags = format!("{flag} {one} {two}");
                    assert!(parse(&flags).is_err(), "{flags}");
                }
            }
        }
    }

    #[test]
    fn what_belongs_together_is_accepted() {
        for flags in [
            "",
            "--restore",
            "--control",
            "--control --for 1m --probe-interval 20ms --max-outage 1s --path /keys",
            "--fault kill --pod web-1 --repeat 3 --pause 0",
            "--random --seed 7 --repeat 200 --dry-run",
            "--compare old.json --tolerance 12.5%",
        ] {
            assert!(parse(flags).is_ok(), "{flags}");
        }
    }

    #[test]
    fn a_tolerance_is_a_percentage() {
        assert_eq!(share("20%"), Ok(0.2));
        assert_eq!(share("0"), Ok(0.0));
        for wrong in ["", "%", "-1", "many", "NaN", "1001"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
