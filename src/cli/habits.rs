//! What fingers type that know kubectl and its kind: each gets a tip.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Verbs of others, and what does it here.
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

/// The same error, with a tip where it comes from the habits of another tool.
#[must_use]
pub fn with_tips(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    if let Some(tip) = tip(&error, arguments) {
        let tips = vec![StyledStr::from(tip)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

fn tip(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = text(ContextKind::InvalidSubcommand)?;
            let (_, instead) = VERBS.iter().find(|(verbs, _)| verbs.contains(&typed))?;
            Some(format!("did you mean `{instead}`?"))
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues => {
            let is_file = text(ContextKind::InvalidArg)?.starts_with("--filename");
            let is_logs = arguments.iter().any(|argument| argument == "logs");
            (is_file && is_logs).then(|| {
                "`-f` names a file with manifests; to follow the logs, use `--follow`".to_owned()
            })
        }
        _ => None,
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
    fn no_words_of_a_parser_get_through() {
        for line in [
            "cryptoctl up --replicas many",
            "cryptoctl up --replicas -1",
            "cryptoctl up --replicas 99999999999999999999",
            "cryptoctl verify --port http",
            "cryptoctl verify --port 70000",
            "cryptoctl logs --tail all",
            "cryptoctl logs --since yesterday",
            "cryptoctl chaos --kills x",
            "cryptoctl chaos --random --seed x",
            "cryptoctl up --timeout soon",
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
        ] {
            assert_eq!(said(line), "", "{line}");
        }
    }
}
