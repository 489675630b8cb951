//! Tips for what users of kubectl and similar tools type out of habit.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::parsing::is_url;
use crate::shell;

/// Verbs of other tools, and our command for each.
const VERBS: [(&[&str], &str); 7] = [
    (
        &["apply", "create", "deploy", "install", "upgrade"],
        "cryptoctl up",
    ),
    (
        &["delete", "destroy", "uninstall", "remove"],
        "cryptoctl down",
    ),
    (
        &["get", "describe", "status", "wait"],
        "cryptoctl rollout status",
    ),
    (&["scale"], "cryptoctl up --replicas NUMBER"),
    (&["restart"], "cryptoctl chaos --fault restart"),
    (&["test", "check", "validate"], "cryptoctl verify"),
    (&["version"], "cryptoctl --version"),
];

/// Verbs of kubectl that have no counterpart here.
const LEFT_TO_KUBECTL: [&str; 8] = [
    "attach",
    "cp",
    "debug",
    "edit",
    "exec",
    "patch",
    "port-forward",
    "top",
];

/// Our verbs that take manifests.
const OURS: [&str; 7] = ["up", "diff", "rollout", "verify", "chaos", "logs", "down"];

/// Flags that contradict others, and why.
const CONTRADICTIONS: [(&str, &str); 4] = [
    (
        "--restore",
        "`--restore` only undoes what an earlier experiment has left behind",
    ),
    ("--control", "`--control` only probes and injects no fault"),
    (
        "--for",
        "`--for` only limits `--control`, which injects no fault",
    ),
    (
        "--follow",
        "the log of a previous run is complete, so there is nothing to follow",
    ),
];

/// The same error, with a tip if it comes from the habits of another tool, and without arguments
/// that were not typed.
#[must_use]
pub fn with_tips(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let line = Line(arguments);
    if let Some(typed) = line.typed_rivals(&error) {
        error.insert(ContextKind::PriorArg, typed);
    }
    if let Some(tip) = line.tip(&error) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
        let tips = vec![StyledStr::from(tip)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    } else if let Some(ContextValue::StyledStrs(tips)) = error.remove(ContextKind::Suggested) {
        // `-- FLAG` would turn a flag into a name.
        let is_of_use = |tip: &StyledStr| !tip.to_string().contains("as a value, use");
        let tips: Vec<StyledStr> = tips.into_iter().filter(is_of_use).collect();
        if !tips.is_empty() {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    error
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    }
}

/// A flag without its value, as errors spell it: `--pod <NAME>`.
fn flag(spelled: &str) -> &str {
    spelled.split([' ', '=']).next().unwrap_or(spelled)
}

/// The command line as it was typed.
struct Line<'a>(&'a [OsString]);

impl Line<'_> {
    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|word| word.to_str())
    }

    /// Our verb that was typed.
    fn verb(&self) -> &str {
        let verb = self.words().find(|word| OURS.contains(word));
        match verb {
            Some("rollout") => "rollout status",
            Some(verb) => verb,
            None => "up",
        }
    }

    fn has(&self, spelled: &str) -> bool {
        self.words().any(|word| flag(word) == flag(spelled))
    }

    /// Of the arguments that contradict this one, those that were typed.
    fn typed_rivals(&self, error: &clap::Error) -> Option<ContextValue> {
        let Some(ContextValue::Strings(rivals)) = error.get(ContextKind::PriorArg) else {
            return None;
        };
        let typed: Vec<String> = rivals.iter().filter(|it| self.has(it)).cloned().collect();
        match typed.as_slice() {
            [] => None,
            [one] => Some(ContextValue::String(one.clone())),
            _ => Some(ContextValue::Strings(typed)),
        }
    }

    fn tip(&self, error: &clap::Error) -> Option<String> {
        let argument = text(error, ContextKind::InvalidArg).map(flag);
        let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
        match error.kind() {
            ErrorKind::InvalidSubcommand => {
                let typed = text(error, ContextKind::InvalidSubcommand)?;
                if LEFT_TO_KUBECTL.contains(&typed) {
                    return Some(format!("use `kubectl {typed}`"));
                }
                let (_, instead) = VERBS.iter().find(|(verbs, _)| verbs.contains(&typed))?;
                Some(format!("did you mean `{instead}`?"))
            }
            ErrorKind::UnknownArgument => self.unknown(argument?),
            ErrorKind::ArgumentConflict => {
                let mut known = CONTRADICTIONS.iter();
                let (_, why) = known.find(|(flag, _)| self.has(flag))?;
                Some((*why).to_owned())
            }
            ErrorKind::TooManyValues if argument == Some("--dry-run") => Some(
                "use `--dry-run` without a value: the API server does the dry run and stores nothing"
                    .to_owned(),
            ),
            ErrorKind::ValueValidation if argument == Some("--filename") && is_url(value) => {
                let (url, verb) = (shell::word(value), self.verb());
                Some(format!("use `curl -fsS {url} | cryptoctl {verb} -f -`"))
            }
            ErrorKind::InvalidValue | ErrorKind::TooFewValues => {
                (argument == Some("--filename") && self.verb() == "logs").then(|| {
                    "`-f` names a file with manifests; to follow the logs, use `--follow`"
                        .to_owned()
                })
            }
            _ => None,
        }
    }

    /// Flags that kubectl has and we do not.
    fn unknown(&self, argument: &str) -> Option<String> {
        let verb = self.verb();
        let tip = match argument {
            "-A" | "--all-namespaces" => {
                "cryptoctl works on one StatefulSet at a time: name its namespace with `-n NAMESPACE`".to_owned()
            }
            "-l" | "--selector" => {
                format!("name the StatefulSet: `cryptoctl {verb} statefulset/NAME`")
            }
            "-k" | "--kustomize" => {
                let folder = self
                    .words()
                    .skip_while(|word| flag(word) != argument)
                    .nth(1);
                let folder = folder.filter(|word| !word.starts_with('-'));
                let folder = folder.map_or_else(|| "DIR".to_owned(), shell::word);
                format!("use `kustomize build {folder} | cryptoctl {verb} -f -`")
            }
            "--since-time" => "use `--since`, such as `--since 5m`".to_owned(),
            "--dry-run" if verb == "down" => {
                "`cryptoctl down` shows what it would delete and asks first".to_owned()
            }
            "--dry-run" => format!("`cryptoctl {verb}` changes nothing"),
            _ => return None,
        };
        Some(tip)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn said(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match Cli::try_parse_from(&arguments) {
            Ok(_) => String::new(),
            Err(error) => with_tips(error, &arguments).to_string(),
        }
    }

    #[test]
    fn the_verbs_of_others_lead_to_ours() {
        for (line, tip) in [
            (
                "cryptoctl apply -f web.yaml",
                "did you mean `cryptoctl up`?",
            ),
            ("cryptoctl delete", "did you mean `cryptoctl down`?"),
            (
                "cryptoctl get pods",
                "did you mean `cryptoctl rollout status`?",
            ),
            ("cryptoctl version", "did you mean `cryptoctl --version`?"),
            ("cryptoctl logs web-0 -f", "use `--follow`"),
        ] {
            let said = said(line);
            assert!(said.contains(tip), "{line}: {said}");
        }
    }

    #[test]
    fn what_kubectl_has_leads_to_what_does_it_here() {
        for (line, tip) in [
            (
                "up -k deploy/base",
                "`kustomize build deploy/base | cryptoctl up -f -`",
            ),
            (
                "diff --kustomize",
                "`kustomize build DIR | cryptoctl diff -f -`",
            ),
            (
                "up -f https://example.org/a.yaml",
                "`curl -fsS https://example.org/a.yaml | cryptoctl up -f -`",
            ),
            ("logs --since-time 2026-01-01T00:00:00Z", "`--since 5m`"),
            ("up --dry-run=server", "`--dry-run` without a value"),
            ("up --dry-run=client", "`--dry-run` without a value"),
            ("verify --dry-run", "`cryptoctl verify` changes nothing"),
            ("verify -A", "`-n NAMESPACE`"),
            ("logs -l app=web", "`cryptoctl logs statefulset/NAME`"),
            ("exec web-0", "`kubectl exec`"),
        ] {
            let said = said(&format!("cryptoctl {line}"));
            assert!(said.contains(tip), "{line}: {said}");
            assert_eq!(said.matches("tip:").count(), 1, "{line}: {said}");
        }
    }

    #[test]
    fn a_flag_is_never_to_be_passed_as_a_name() {
        for line in [
            "verify -A",
            "up --nonsense",
            "logs -x",
            "chaos --kill",
            "verify --dry-run",
        ] {
            let said = said(&format!("cryptoctl {line}"));
            assert!(said.contains("unexpected argument"), "{line}: {said}");
            assert!(!said.contains("as a value"), "{line}: {said}");
        }
        let said = said("cryptoctl version");
        assert_eq!(said.matches("tip:").count(), 1, "{said}");
    }

    #[test]
    fn a_contradiction_names_what_was_typed_and_says_why() {
        for (line, rival, why) in [
            (
                "chaos --control --fault kill",
                "'--fault <FAULT>'",
                "injects no fault",
            ),
            (
                "chaos --all-in-turn --for 20s",
                "'--all-in-turn'",
                "only limits `--control`",
            ),
            ("chaos --restore --dry-run", "'--dry-run'", "only undoes"),
            ("logs -p --follow", "'--previous'", "nothing to follow"),
        ] {
            let said = said(&format!("cryptoctl {line}"));
            let (error, _) = said.split_once("Usage:").unwrap();
            assert!(
                error.contains(rival) && error.contains(why),
                "{line}: {said}"
            );
            assert!(!error.contains("\n  --"), "{line}: {said}");
        }
    }

    #[test]
    fn no_words_of_a_parser_get_through() {
        for line in [
            "cryptoctl up --replicas many",
            "cryptoctl up --replicas -1",
            "cryptoctl up --replicas 99999999999999999999",
            "cryptoctl verify --port http",
            "cryptoctl verify --port 70000",
            "cryptoctl logs --tail all",
            "cryptoctl logs --since yesterday",
            "cryptoctl chaos --repeat x",
            "cryptoctl chaos --random --seed x",
            "cryptoctl up --timeout soon",
            "cryptoctl up --timeout -5s",
            "cryptoctl logs --since -5m",
            "cryptoctl logs --tail -2",
            "cryptoctl chaos --repeat -3",
            "cryptoctl chaos --max-outage -1s",
            "cryptoctl verify --port -1",
        ] {
            let said = said(line);
            assert!(said.contains("expected a"), "{line}: {said}");
            assert!(
                !said.contains("digit") && !said.contains("out of range"),
                "{said}"
            );
        }
    }

    #[test]
    fn what_kubectl_takes_is_taken() {
        for line in [
            "cryptoctl rollout status -w",
            "cryptoctl rollout status sts/web --watch",
            "cryptoctl verify web",
            "cryptoctl logs web-0 --since 5m --timestamps",
            "cryptoctl logs sts/web --follow",
            "cryptoctl logs pod/web-0 --tail -1",
            "cryptoctl logs web-0 --tail=-1",
        ] {
            assert_eq!(said(line), "", "{line}");
        }
    }
}
