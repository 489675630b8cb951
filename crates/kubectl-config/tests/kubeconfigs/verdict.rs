//! Holds programs against cases.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::SECRET;
use super::case::{Case, Expected};
use super::identity::Identity;
use super::process::{self, Place, Program};
use super::stage::{Run, Stage};

/// Many cases wait for a client's patience, not for a processor.
const AT_ONCE: usize = 2;
/// What programs end with when they are wrong about themselves; no case may bring them there: a panic's
/// status, and `EX_SOFTWARE` (`sysexits(3)`).
const BUGS: [i32; 2] = [101, 70];

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
    let failures: Vec<String> = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} failures in {} cases\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

impl Case {
    /// Runs the programs and says what each has wrong.
    fn failures(&self, programs: &[Program]) -> Vec<String> {
        let stage = Stage::new();
        let mut failures = Vec::new();
        for program in programs {
            if self.without_kubectl && matches!(program, Program::Kubectl(_)) {
                continue;
            }
            let run = stage.play(self, program);
            let verdict = Verdict {
                case: self,
                program,
                stage: &stage,
                run: &run,
                problems: Vec::new(),
            };
            let problems = verdict.problems();
            if problems.is_empty() {
                continue;
            }
            let reason = self
                .difference
                .as_ref()
                .map_or_else(String::new, |(reason, _)| {
                    format!("\n   ours is to differ from kubectl here: {reason}")
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

/// What a run has wrong.
struct Verdict<'a> {
    case: &'a Case,
    program: &'a Program,
    stage: &'a Stage,
    run: &'a Run,
    problems: Vec<String>,
}

impl Verdict<'_> {
    fn problems(mut self) -> Vec<String> {
        self.end();
        self.identities();
        self.namespace();
        self.plugin();
        self.token_request();
        self.files();
        self.processes();
        if matches!(self.program, Program::Ours(_)) {
            self.words();
        }
        self.problems
    }

    fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    fn expected(&self) -> &Expected {
        match (&self.case.difference, self.program) {
            (Some((_, expected)), Program::Ours(_)) => expected,
            _ => &self.case.expected,
        }
    }

    fn end(&mut self) {
        match self.run.ended.code {
            None => self.problem(format!("still running after {:?}", self.case.limit)),
            Some(0) => self.problem("it ended with success".to_owned()),
            Some(code) if BUGS.contains(&code) => {
                self.problem("it found a bug in itself".to_owned());
            }
            Some(_) => {}
        }
    }

    fn identities(&mut self) {
        let wanted: Vec<Identity> = match self.expected() {
            Expected::Reaches(identities) => identities
                .iter()
                .map(|identity| identity.map(|text| self.stage.fill(text)))
                .collect(),
            Expected::Refused(_) => Vec::new(),
        };
        let mut seen: Vec<Identity> = self
            .run
            .seen
            .iter()
            .map(|seen| seen.identity.clone())
            .collect();
        seen.dedup();
        if seen != wanted {
            self.problem(format!("expected {wanted:#?}\n   saw {seen:#?}"));
        }
    }

    fn namespace(&mut self) {
        let Some(namespace) = self.case.namespace else {
            return;
        };
        let seen: Vec<&str> = self
            .run
            .seen
            .iter()
            .filter_map(|seen| seen.namespace.as_deref())
            .collect();
        if seen.is_empty() || seen.iter().any(|seen| *seen != namespace) {
            self.problem(format!(
                "expected the namespace `{namespace}`, saw {seen:?}"
            ));
        }
    }

    fn plugin(&mut self) {
        let seen = &self.run.calls;
        if let Some(times) = self.case.calls
            && seen.len() != times
        {
            self.problem(format!(
                "expected {times} starts of the plugin, saw {}",
                seen.len()
            ));
        }
        if let Some(call) = &self.case.call {
            let call = call.map(|text| self.stage.fill(text));
            if seen.iter().any(|seen| *seen != call) {
                self.problem(format!(
                    "expected the plugin to be given {call:#?}\n   it was given {seen:#?}"
                ));
            }
        }
    }

    fn token_request(&mut self) {
        let Some(words) = &self.case.token_request else {
            return;
        };
        let seen = &self.run.token_requests;
        let fits = |request: &String| words.iter().all(|word| request.contains(word));
        if seen.len() != 1 || !seen.iter().all(fits) {
            self.problem(format!(
                "expected one request for a token with {words:?}, saw {seen:?}"
            ));
        }
    }

    fn files(&mut self) {
        let changed = &self.run.changed;
        match &self.case.written {
            None if !changed.is_empty() => self.problem(format!("it changed {changed:?}")),
            None => {}
            Some((path, words)) => {
                let text = self.stage.read(path).unwrap_or_default();
                for word in words {
                    if !text.contains(word) {
                        self.problem(format!("`{path}` does not contain `{word}`:\n{text}"));
                    }
                }
                if self.stage.mode(path).is_some_and(|mode| mode & 0o077 != 0) {
                    self.problem(format!("others may read `{path}`"));
                }
                if changed != &[*path] {
                    self.problem(format!("expected `{path}` to be changed, not {changed:?}"));
                }
            }
        }
        if matches!(self.expected(), Expected::Refused(_)) {
            for path in &self.case.absent {
                if self.stage.read(path).is_some() {
                    self.problem(format!("it made `{path}`"));
                }
            }
        }
    }

    fn processes(&mut self) {
        for path in &self.case.children {
            let child = self.stage.read(path).unwrap_or_default();
            if child.is_empty() {
                self.problem(format!("no process was started that `{path}` names"));
            } else if !process::is_over_soon(child.trim()) {
                self.problem(format!("the process of `{path}` was still there"));
            }
        }
    }

    fn words(&mut self) {
        let mut words = self.case.said.clone();
        if let Expected::Refused(refusal) = self.expected() {
            words.extend(refusal);
        }
        let output = &self.run.ended.output;
        for word in words {
            let word = self.stage.fill(word);
            if !output.contains(&word) {
                self.problem(format!("it did not say `{word}`"));
            }
        }
        if self.case.place != Place::Terminal && output.contains('\u{1b}') {
            self.problem("it sent an escape sequence to what is no terminal".to_owned());
        }
        if output.contains(SECRET) || output.contains("PRIVATE KEY") {
            self.problem("it printed a secret".to_owned());
        }
    }
}
