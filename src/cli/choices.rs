//! The values of `-o`, `--color`, `--progress` and `--allow` on the command line.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::render::terminal::{OutputFormat, Progress};
use crate::risk::RiskKind;
use crate::ui::ColorChoice;

impl ValueEnum for OutputFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Text => value("text", "For people"),
            Self::Json => value(
                "json",
                "For programs: JSON lines, the last one with the outcome",
            ),
        })
    }
}

impl ValueEnum for RiskKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(value(self.name(), self.help()))
    }
}

impl ValueEnum for ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => value("auto", "On a terminal, unless `NO_COLOR` is set"),
            Self::Always => value("always", "Always"),
            Self::Never => value("never", "Never"),
        })
    }
}

impl ValueEnum for Progress {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Bars, Self::Plain, Self::None]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => value("auto", "Bars on a terminal, lines elsewhere"),
            Self::Bars => value("bars", "Bars"),
            Self::Plain => value("plain", "Lines"),
            Self::None => value("none", "Only the result"),
        })
    }
}

fn value(name: &'static str, help: &'static str) -> PossibleValue {
    PossibleValue::new(name).help(help)
}
