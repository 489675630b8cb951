//! The requests to every replica: from the flags, the configuration file, or the built-in set.

use std::time::Duration;

use super::readiness_probe;
use crate::built_in;
use crate::cli::QuestionArgs;
use crate::config::Config;
use crate::error::CommandError;
use crate::expectation::Expectation;
use crate::ops::{Set, Verification};

/// The time limit of a replica's whole answer.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// The largest body to read from a replica.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;
/// The number of replicas that get requests at the same time.
const FORWARDS: usize = 16;

/// The requests to every replica of the named workload and their limits, with a note about their origin if the user named
/// none.
///
/// # Errors
/// A usage error when no path is named, the workload is not the built-in one, and it has no
/// readiness probe with a path: a path that all replicas answer alike cannot be guessed.
pub fn verification(
    question: &QuestionArgs,
    named: Option<&str>,
    config: &Config,
    set: &Set,
) -> Result<(Verification, Option<String>), CommandError> {
    let is_built_in =
        set.is_built_in && named.is_none_or(|name| super::has_stateful_set(set, name));
    let mut note = None;
    let mut expectations = match readiness_probe::endpoint(set, named) {
        Some(probed) if question.path.is_none() && config.endpoints.is_empty() && !is_built_in => {
            note = Some(probed.note());
            vec![probed.expectation()]
        }
        _ => expectations(question, config, is_built_in)?,
    };
    if let Some(port) = question.port {
        for expectation in &mut expectations {
            expectation.port = Some(port);
        }
    }
    match (&question.expect_sha256, expectations.as_mut_slice()) {
        (None, _) => {}
        (Some(sha256), [only]) => only.sha256 = Some(sha256.clone()),
        (Some(_), several) => {
            return Err(CommandError::usage(
                format!(
                    "`--expect-sha256` applies to one endpoint, but {} endpoints are configured",
                    several.len()
                ),
                "choose one with `--path`, or write `sha256` into the configuration",
            ));
        }
    }
    let bounds = &config.verify;
    let verification = Verification {
        expectations,
        answer_time: bounds.answer_time.unwrap_or(ANSWER_TIME),
        largest_body: bounds.largest_body.unwrap_or(LARGEST_BODY),
        concurrency: bounds.concurrency.unwrap_or(FORWARDS),
        shows_content: false,
        baseline: None,
        allows_unready: false,
    };
    Ok((verification, note))
}

/// Only the path on the command line is requested. Its configured expectations still apply: naming
/// a path weakens nothing.
fn expectations(
    question: &QuestionArgs,
    config: &Config,
    is_built_in: bool,
) -> Result<Vec<Expectation>, CommandError> {
    let built_in = is_built_in.then(built_in::expectation);
    let Some(path) = &question.path else {
        return match built_in {
            _ if !config.endpoints.is_empty() => Ok(config.endpoints.clone()),
            Some(expectation) => Ok(vec![expectation]),
            None => Err(CommandError::usage(
                "`--path` is required here: the path that all replicas answer alike cannot be guessed",
                "name one, such as `--path /keys`, or list `endpoints` in `cryptoctl.yaml`",
            )),
        };
    };
    let is_asked = |expectation: &&Expectation| {
        let port = question.port.or(expectation.port);
        &expectation.path == path && port == expectation.port.or(question.port)
    };
    let known: Vec<&Expectation> = config.endpoints.iter().filter(is_asked).collect();
    Ok(match (known.as_slice(), built_in) {
        ([], Some(expectation)) if &expectation.path == path => vec![expectation],
        ([], _) => vec![Expectation::of_path(path)],
        (several, _) => several.iter().copied().cloned().collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::documented_default;
    use super::*;
    use crate::config;
    use crate::manifest::{self, Options};
    use crate::values;

    const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const TWO: &str = "endpoints: [{path: /a, status: 404}, {path: /b, port: 81}]\n\
                       verify: {concurrency: 2, largest_body: 1Ki, answer_time: 3s}\n";

    #[test]
    fn the_documents_state_the_defaults_of_the_code() {
        let answer_time = documented_default("answer_time");
        assert_eq!(values::duration(answer_time), Ok(ANSWER_TIME));
        let largest_body = documented_default("largest_body");
        assert_eq!(values::size(largest_body), Ok(LARGEST_BODY));
        assert_eq!(documented_default("concurrency"), FORWARDS.to_string());
    }

    fn built_in_set() -> Set {
        Set {
            manifests: manifest::load(&built_in::sources(), Options::default()).unwrap(),
            is_built_in: true,
            choices: crate::fields::FieldChoices::default(),
            replaced: Vec::new(),
            inventory: None,
            rolls: false,
        }
    }

    struct Flags<'a> {
        workload: Option<&'a str>,
        path: Option<&'a str>,
        port: Option<u16>,
        sha256: Option<&'a str>,
    }

    const NO_FLAGS: Flags<'static> = Flags {
        workload: None,
        path: None,
        port: None,
        sha256: None,
    };

    fn resolve(flags: &Flags<'_>, file: &str) -> Result<Verification, CommandError> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let question = QuestionArgs {
            path: text(flags.path),
            port: flags.port,
            expect_sha256: text(flags.sha256),
        };
        let config = config::parse(Path::new("cryptoctl.yaml"), file).unwrap();
        let set = built_in_set();
        let named = super::super::workload(flags.workload, &config, &set);
        verification(&question, named, &config, &set).map(|(verification, _)| verification)
    }

    fn paths(verification: &Verification) -> Vec<&str> {
        let expectations = verification.expectations.iter();
        expectations.map(|it| it.path.as_str()).collect()
    }

    #[test]
    fn the_built_in_workload_has_expectations_of_its_own() {
        for path in [None, Some("/keys")] {
            let flags = Flags { path, ..NO_FLAGS };
            let verification = resolve(&flags, "").unwrap();
            assert_eq!(paths(&verification), ["/keys"]);
            assert!(
                verification.expectations[0].matches.is_some(),
                "naming its path makes it no weaker: {path:?}"
            );
        }
        let elsewhere = Flags {
            path: Some("/"),
            ..NO_FLAGS
        };
        let verification = resolve(&elsewhere, "").unwrap();
        assert!(verification.expectations[0].matches.is_none());
    }

    #[test]
    fn the_file_goes_before_the_built_in_and_flags_before_the_file() {
        let verification = resolve(&NO_FLAGS, TWO).unwrap();
        assert_eq!(paths(&verification), ["/a", "/b"]);
        assert_eq!(verification.concurrency, 2);
        assert_eq!(verification.largest_body, 1024);
        assert_eq!(verification.answer_time, Duration::from_secs(3));

        let flags = Flags {
            path: Some("/c"),
            ..NO_FLAGS
        };
        let verification = resolve(&flags, TWO).unwrap();
        assert_eq!(paths(&verification), ["/c"]);
        assert_eq!(verification.expectations[0].status, 200);

        let flags = Flags {
            path: Some("/a"),
            ..NO_FLAGS
        };
        let verification = resolve(&flags, TWO).unwrap();
        assert_eq!(paths(&verification), ["/a"]);
        assert_eq!(
            verification.expectations[0].status, 404,
            "what the file expects of a path holds when the path is named"
        );
    }

    #[test]
    fn an_entry_for_another_port_is_another_endpoint() {
        let flags = Flags {
            path: Some("/b"),
            port: Some(80),
            ..NO_FLAGS
        };
        let file = "endpoints: [{path: /b, port: 81, status: 404}]";
        let expectation = resolve(&flags, file).unwrap().expectations.remove(0);
        assert_eq!(
            (expectation.port, expectation.status.as_u16()),
            (Some(80), 200)
        );
    }

    #[test]
    fn a_port_or_hash_alone_changes_what_is_configured() {
        let flags = Flags {
            port: Some(99),
            ..NO_FLAGS
        };
        let verification = resolve(&flags, TWO).unwrap();
        let ports: Vec<_> = verification.expectations.iter().map(|it| it.port).collect();
        assert_eq!(ports, [Some(99), Some(99)]);

        let flags = Flags {
            sha256: Some(SHA256),
            ..NO_FLAGS
        };
        let verification = resolve(&flags, "").unwrap();
        assert_eq!(verification.expectations[0].sha256.as_deref(), Some(SHA256));
        let error = resolve(&flags, TWO).unwrap_err();
        assert!(error.text.message.contains("2 endpoints"), "{error:?}");
    }

    #[test]
    fn a_path_is_never_guessed() {
        let named = Flags {
            workload: Some("web"),
            ..NO_FLAGS
        };
        assert!(resolve(&named, "").is_err());
        assert!(resolve(&NO_FLAGS, "workload: statefulset/web").is_err());
        assert!(resolve(&named, "endpoints: [{path: /a}]").is_ok());
        assert!(
            resolve(
                &Flags {
                    workload: Some("cryptoserver"),
                    ..NO_FLAGS
                },
                "workload: statefulset/web"
            )
            .is_ok(),
            "the command line names the built-in workload"
        );
    }
}
