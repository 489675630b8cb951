//! One row of the table, and what it takes to hold a program against it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::SECRET;
use super::identity::Identity;
use super::plugin::Call;
use super::process::{self, Program};
use super::stage::{Run, Stage};

/// Far more than any run takes; what takes longer, hangs.
const LIMIT: Duration = Duration::from_secs(10);

/// Many cases wait for a client's patience, not for a processor.
const AT_ONCE: usize = 4;

/// What has to happen.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// All requests come from these identities, in this order.
    Reaches(Vec<Identity>),
    /// No request is sent, and `cryptoctl` says these words.
    Refused(Vec<&'static str>),
}

/// A file or a folder.
pub(crate) struct File {
    pub(crate) path: &'static str,
    pub(crate) content: Content,
    pub(crate) mode: u32,
}

/// What is in a file.
pub(crate) enum Content {
    Folder,
    /// With the names of [`Stage::fill`].
    Text(String),
}

/// One row of the table.
pub(crate) struct Case {
    name: &'static str,
    pub(crate) files: Vec<File>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) unauthorized: usize,
    pub(crate) limit: Duration,
    expected: Expected,
    difference: Option<(&'static str, Expected)>,
    namespace: Option<&'static str>,
    call: Option<Call>,
    said: Vec<&'static str>,
    token_request: Option<Vec<&'static str>>,
    written: Option<(&'static str, Vec<&'static str>)>,
    without_kubectl: bool,
    /// Files that are not there, neither before a run nor, if it is refused, after it.
    pub(crate) absent: Vec<&'static str>,
    /// Files with the number of a process that is to be over.
    children: Vec<&'static str>,
}

impl Case {
    /// A case without any file, which reaches nobody in particular.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            files: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            unauthorized: 0,
            limit: LIMIT,
            expected: Expected::Reaches(vec![Identity::anonymous()]),
            difference: None,
            namespace: None,
            call: None,
            said: Vec::new(),
            token_request: None,
            written: None,
            without_kubectl: false,
            absent: Vec::new(),
            children: Vec::new(),
        }
    }

    /// The one file that `KUBECONFIG` names.
    pub(crate) fn kubeconfig(self, text: impl Into<String>) -> Self {
        self.file("config", text)
            .environment("KUBECONFIG", "@folder@/config")
    }

    /// A file in the case's folder.
    pub(crate) fn file(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.push(File {
            path,
            content: Content::Text(text.into()),
            mode: 0o600,
        });
        self
    }

    /// A folder where others expect a file.
    pub(crate) fn folder(mut self, path: &'static str) -> Self {
        self.files.push(File {
            path,
            content: Content::Folder,
            mode: 0o700,
        });
        self
    }

    /// An executable file.
    pub(crate) fn program(mut self, path: &'static str, text: impl Into<String>) -> Self {
        self.files.push(File {
            path,
            content: Content::Text(text.into()),
            mode: 0o700,
        });
        self
    }

    /// Arguments, separated by spaces.
    pub(crate) fn arguments(mut self, arguments: &str) -> Self {
        self.arguments
            .extend(arguments.split_whitespace().map(str::to_owned));
        self
    }

    /// A variable.
    pub(crate) fn environment(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// The first requests are answered with 401.
    pub(crate) fn unauthorized(mut self, times: usize) -> Self {
        self.unauthorized = times;
        self
    }

    /// All requests come from this identity.
    pub(crate) fn reaches(mut self, identity: Identity) -> Self {
        self.expected = Expected::Reaches(vec![identity]);
        self
    }

    /// The requests come from these identities, in this order.
    pub(crate) fn reaches_in_turn(mut self, identities: Vec<Identity>) -> Self {
        self.expected = Expected::Reaches(identities);
        self
    }

    /// Nothing is sent, and `cryptoctl` says these words.
    pub(crate) fn refused(mut self, words: &[&'static str]) -> Self {
        self.expected = Expected::Refused(words.to_owned());
        self
    }

    /// `cryptoctl` is to differ from kubectl, and why.
    pub(crate) fn but_cryptoctl(mut self, reason: &'static str, expected: Expected) -> Self {
        self.difference = Some((reason, expected));
        self
    }

    /// `cryptoctl` is to refuse where kubectl does not, and why.
    pub(crate) fn but_cryptoctl_refuses(
        self,
        reason: &'static str,
        words: &[&'static str],
    ) -> Self {
        self.but_cryptoctl(reason, Expected::Refused(words.to_owned()))
    }

    /// The namespace that is asked about.
    pub(crate) fn namespace(mut self, namespace: &'static str) -> Self {
        self.namespace = Some(namespace);
        self
    }

    /// What a credential plugin is given, each time that it is started.
    pub(crate) fn call(mut self, call: Call) -> Self {
        self.call = Some(call);
        self
    }

    /// What `cryptoctl` says although it is not refused.
    pub(crate) fn says(mut self, words: &[&'static str]) -> Self {
        words.clone_into(&mut self.said);
        self
    }

    /// What the one request for a token contains.
    pub(crate) fn token_request(mut self, words: &[&'static str]) -> Self {
        self.token_request = Some(words.to_owned());
        self
    }

    /// The one file of the case that is changed, and what is in it afterwards.
    pub(crate) fn writes(mut self, path: &'static str, words: &[&'static str]) -> Self {
        self.written = Some((path, words.to_owned()));
        self
    }

    /// There is nothing to compare with, because kubectl would never end.
    pub(crate) fn without_kubectl(mut self) -> Self {
        self.without_kubectl = true;
        self
    }

    /// A file that is taken away before each run, and that no refused run makes.
    pub(crate) fn absent(mut self, path: &'static str) -> Self {
        self.absent.push(path);
        self
    }

    /// Nothing is left of the process whose number stands in this file.
    pub(crate) fn ends_process(mut self, path: &'static str) -> Self {
        self.children.push(path);
        self
    }

    /// Kills it after this time.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    fn expected_of(&self, program: &Program) -> &Expected {
        match (&self.difference, program) {
            (Some((_, expected)), Program::Cryptoctl) => expected,
            _ => &self.expected,
        }
    }

    /// Everything that a run has wrong.
    fn problems(&self, stage: &Stage, program: &Program, run: &Run) -> Vec<String> {
        let mut problems = Vec::new();
        let is_cryptoctl = *program == Program::Cryptoctl;
        match run.ended.code {
            None => problems.push(format!("still running after {:?}", self.limit)),
            Some(0) => problems.push("it ended with success".to_owned()),
            Some(_) => {}
        }
        let mut words = self.said.clone();
        let wanted = match self.expected_of(program) {
            Expected::Reaches(identities) => identities.clone(),
            Expected::Refused(refusal) => {
                words.extend(refusal);
                Vec::new()
            }
        };
        let wanted: Vec<Identity> = wanted
            .iter()
            .map(|identity| filled(stage, identity))
            .collect();
        let mut seen: Vec<Identity> = run.seen.iter().map(|seen| seen.identity.clone()).collect();
        seen.dedup();
        if seen != wanted {
            problems.push(format!("expected {wanted:#?}\n   saw {seen:#?}"));
        }
        if let Some(namespace) = self.namespace {
            let mut seen: Vec<&str> = run
                .seen
                .iter()
                .filter_map(|seen| seen.namespace.as_deref())
                .collect();
            seen.dedup();
            if seen != [namespace] {
                problems.push(format!(
                    "expected the namespace `{namespace}`, saw {seen:?}"
                ));
            }
        }
        self.check_login(stage, run, &mut problems);
        for path in &self.absent {
            if wanted.is_empty() && stage.read(path).is_some() {
                problems.push(format!("it made `{path}`"));
            }
        }
        for path in &self.children {
            let child = stage.read(path).unwrap_or_default();
            if process::kill(child.trim()) {
                problems.push(format!("the process of `{path}` was still there"));
            }
        }
        if is_cryptoctl {
            for word in words {
                let word = stage.fill(word);
                if !run.ended.output.contains(&word) {
                    problems.push(format!("it did not say `{word}`"));
                }
            }
            if run.ended.output.contains(SECRET) || run.ended.output.contains("PRIVATE KEY") {
                problems.push("it printed a secret".to_owned());
            }
        }
        problems
    }

    /// Holds what was given to plugins and providers, and what was written, against the table.
    fn check_login(&self, stage: &Stage, run: &Run, problems: &mut Vec<String>) {
        if let Some(call) = &self.call {
            let call = call.map(|text| stage.fill(text));
            if run.calls.is_empty() || run.calls.iter().any(|seen| *seen != call) {
                problems.push(format!(
                    "expected the plugin to be given {call:#?}\n   it was given {:#?}",
                    run.calls
                ));
            }
        }
        if let Some(words) = &self.token_request {
            let fits = |request: &String| words.iter().all(|word| request.contains(word));
            if run.token_requests.len() != 1 || !run.token_requests.iter().all(fits) {
                problems.push(format!(
                    "expected one request for a token with {words:?}, saw {:?}",
                    run.token_requests
                ));
            }
        }
        match &self.written {
            None if !run.changed.is_empty() => {
                problems.push(format!("it changed {:?}", run.changed));
            }
            Some((path, words)) => {
                let text = stage.read(path).unwrap_or_default();
                for word in words {
                    let word = stage.fill(word);
                    if !text.contains(&word) {
                        problems.push(format!("`{path}` does not contain `{word}`:\n{text}"));
                    }
                }
                if run.changed != [*path] {
                    problems.push(format!(
                        "expected `{path}` to be changed, not {:?}",
                        run.changed
                    ));
                }
            }
            None => {}
        }
    }

    /// Runs the programs and says what each has wrong.
    fn failures(&self, programs: &[Program]) -> Vec<String> {
        let stage = Stage::new();
        let mut failures = Vec::new();
        for program in programs {
            if self.without_kubectl && *program != Program::Cryptoctl {
                continue;
            }
            let run = stage.play(self, program);
            let problems = self.problems(&stage, program, &run);
            if problems.is_empty() {
                continue;
            }
            let reason = self
                .difference
                .as_ref()
                .map_or_else(String::new, |(reason, _)| {
                    format!("\n   cryptoctl is to differ from kubectl here: {reason}")
                });
            failures.push(format!(
                "== {}: {}{reason}\n   {}\n   exit status {:?}, and it said:\n{}",
                self.name,
                program.name(),
                problems.join("\n   "),
                run.ended.code,
                run.ended.output
            ));
        }
        failures
    }
}

/// An identity with what exists now in the place of names.
fn filled(stage: &Stage, identity: &Identity) -> Identity {
    let mut identity = identity.clone();
    if let Some(via) = &mut identity.via {
        via.target = stage.fill(&via.target);
    }
    identity
}

/// Holds programs against a group of cases, and fails with everything that any of them has wrong.
#[track_caller]
pub(crate) fn check(programs: &[Program], cases: &[Case]) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = case.failures(programs);
                    failures.lock().unwrap().extend(found);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} failures in {} cases\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}
