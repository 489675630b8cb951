//! The flags of this run that say where and on what it works, for every command that it prints. Without
//! them, a pasted command would go to the default cluster, or work on the built-in set.

use std::borrow::Cow;

use crate::diagnose::Diagnosis;
use crate::event::{ErrorText, EventKind};
use crate::report::{ChaosReport, Report, RolloutReport};
use crate::rollout::{RolloutProgress, RolloutState};
use crate::shell;

/// The programs whose commands are printed; both take the same flags, right after their name.
const PROGRAMS: [&str; 2] = ["kubectl ", "cryptoctl "];

/// The verbs that work on a set of manifests, as far as they are printed without their set.
const SET_VERBS: [&str; 2] = ["cryptoctl up ", "cryptoctl diff "];

/// The flags of printed commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    /// Those of the cluster, each followed by a space.
    cluster: String,
    /// Those of the set.
    set: String,
}

impl Address {
    /// From the given flags of the cluster and their values.
    pub fn of<'a>(flags: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>) -> Self {
        Self {
            cluster: words(flags),
            set: String::new(),
        }
    }

    /// The same with the given flags of the set.
    #[must_use]
    pub fn on_set<'a>(self, flags: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>) -> Self {
        Self {
            set: words(flags),
            ..self
        }
    }

    /// Completes every command in an event.
    pub(crate) fn complete(&self, kind: &mut EventKind) {
        match kind {
            EventKind::Warning { message } => self.complete_text(message),
            EventKind::Experiment { blast_radius, .. } => self.complete_texts(blast_radius),
            EventKind::Rollout { progress, .. } => self.complete_progress(progress),
            EventKind::Finished(conclusion) => {
                if let Some(ErrorText { hints, .. }) = &mut conclusion.error {
                    self.complete_texts(hints);
                }
                match &mut conclusion.report {
                    Some(Report::Up(up)) => {
                        self.complete_rollouts(&mut up.rollouts);
                        if let Some(saved) = &mut up.saved {
                            self.complete_text(&mut saved.next);
                        }
                    }
                    Some(Report::Rollout(rollout)) => self.complete_progress(&mut rollout.progress),
                    Some(Report::Diff(diff)) => self.complete_texts(&mut diff.hints),
                    Some(Report::Verify(verify)) => self.complete_texts(&mut verify.notes),
                    Some(Report::Chaos(chaos)) => self.complete_experiment(chaos),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn complete_rollouts(&self, rollouts: &mut [RolloutReport]) {
        for rollout in rollouts {
            self.complete_progress(&mut rollout.progress);
        }
    }

    fn complete_experiment(&self, chaos: &mut ChaosReport) {
        self.complete_texts(&mut chaos.reasons);
        self.complete_texts(&mut chaos.observed.not_restored);
        if let Some(cause) = &mut chaos.observed.cause {
            self.complete_diagnosis(cause);
        }
    }

    fn complete_progress(&self, progress: &mut RolloutProgress) {
        match &mut progress.state {
            RolloutState::Progressing { message, suspicion } => {
                self.complete_text(message);
                if let Some(diagnosis) = suspicion {
                    self.complete_diagnosis(diagnosis);
                }
            }
            RolloutState::Failed { cause } => self.complete_diagnosis(cause),
            RolloutState::Complete => {}
        }
    }

    fn complete_diagnosis(&self, diagnosis: &mut Diagnosis) {
        self.complete_texts(&mut diagnosis.next);
    }

    fn complete_texts(&self, texts: &mut [String]) {
        for text in texts {
            self.complete_text(text);
        }
    }

    /// Completes a command, and the commands that a sentence quotes.
    pub(crate) fn complete_text(&self, text: &mut String) {
        for verb in SET_VERBS {
            let quoted = format!("`{verb}");
            *text = text.replace(&quoted, &format!("{quoted}{}", self.set));
        }
        let flags = &self.cluster;
        if flags.is_empty() {
            return;
        }
        for program in PROGRAMS {
            let quoted = format!("`{program}");
            *text = text.replace(&quoted, &format!("{quoted}{flags}"));
            if text.starts_with(program) {
                text.insert_str(program.len(), flags);
            }
            let piped = format!("| {program}");
            *text = text.replace(&piped, &format!("{piped}{flags}"));
        }
    }
}

fn words<'a>(flags: impl IntoIterator<Item = (&'static str, Cow<'a, str>)>) -> String {
    let words = flags.into_iter().map(|(flag, value)| match &*value {
        "" => format!("{flag} "),
        value => format!("{flag}={} ", shell::word(value)),
    });
    words.collect()
}

/// Whether a text is a command to paste, not a sentence about one.
pub(crate) fn is_command(text: &str) -> bool {
    PROGRAMS.iter().any(|program| text.starts_with(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str) -> String {
        let address = Address::of([
            ("--kubeconfig", "/home/me/my config".into()),
            ("--context", "prod".into()),
        ]);
        let mut text = text.to_owned();
        address.complete_text(&mut text);
        text
    }

    #[test]
    fn every_command_goes_to_the_cluster_of_the_run() {
        let flags = "--kubeconfig='/home/me/my config' --context=prod";
        assert_eq!(
            completed("kubectl describe pod/web-0 -n shop"),
            format!("kubectl {flags} describe pod/web-0 -n shop")
        );
        assert_eq!(
            completed("see it with `kubectl get pods`, then `cryptoctl chaos --restore`"),
            format!(
                "see it with `kubectl {flags} get pods`, then `cryptoctl {flags} chaos --restore`"
            )
        );
        assert_eq!(
            completed("build them first: `kustomize build a | cryptoctl up -f -`"),
            format!("build them first: `kustomize build a | cryptoctl {flags} up -f -`")
        );
    }

    #[test]
    fn a_command_on_the_set_works_on_the_set_of_the_run() {
        let address = Address::of([("--context", "prod".into())]);
        let address = address.on_set([("--filename", "my set".into()), ("--recursive", "".into())]);
        let completed = |text: &str| {
            let mut text = text.to_owned();
            address.complete_text(&mut text);
            text
        };
        assert_eq!(
            completed("take it with `cryptoctl up --take .spec`"),
            "take it with `cryptoctl --context=prod up --filename='my set' --recursive --take .spec`"
        );
        assert_eq!(
            completed("`kustomize build a | cryptoctl up -f -`"),
            "`kustomize build a | cryptoctl --context=prod up -f -`"
        );
    }

    #[test]
    fn a_sentence_about_a_program_stays_as_it_is() {
        let sentence = "what kubectl reads is not what cryptoctl reads";
        assert_eq!(completed(sentence), sentence);
    }

    #[test]
    fn without_flags_nothing_is_added() {
        let mut kind = EventKind::Warning {
            message: "run `kubectl get pods`".to_owned(),
        };
        Address::default().complete(&mut kind);
        let EventKind::Warning { message } = kind else {
            panic!("it is still a warning");
        };
        assert_eq!(message, "run `kubectl get pods`");
    }
}
