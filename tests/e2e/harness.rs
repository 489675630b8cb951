//! Runs `cryptoctl` and `kubectl` against the sandbox, each test in a namespace of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Nothing in these tests takes this long unless it hangs.
const LONGEST: Duration = Duration::from_secs(240);
/// How often a condition that no watch reports is checked.
const PAUSE: Duration = Duration::from_millis(200);

static API_SERVER: RwLock<()> = RwLock::new(());
static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A variable that `cargo sandbox test` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run these tests with `cargo sandbox test`"))
}

/// How a run of `cryptoctl` ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Asserts the exit code; on failure, shows the whole output.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Asserts that standard error contains a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "`{text}` is not in:\n{}",
            self.stderr
        );
        self
    }

    /// The events of a run with `-o json`.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The report in the last event of a run with `-o json`.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        let last = self
            .events()
            .pop()
            .unwrap_or_else(|| panic!("no events:\n{}", self.stderr));
        assert_eq!(last["event"], "finished", "{last}");
        assert_eq!(last["exit_code"], self.code, "{last}");
        last["report"].clone()
    }
}

/// A run in the background, whose events are read as they arrive.
pub(crate) struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    seen: String,
}

impl Running {
    /// Reads events until one satisfies the condition.
    #[track_caller]
    pub(crate) fn until(&mut self, condition: impl Fn(&Value) -> bool) -> Value {
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            self.seen.push_str(&line);
            self.seen.push('\n');
            let event: Value = serde_json::from_str(&line).unwrap();
            if condition(&event) {
                return event;
            }
        }
        panic!("the run ended before:\n{}", self.seen);
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    pub(crate) fn end(mut self) -> Ended {
        for line in self.lines.by_ref() {
            self.seen.push_str(&line.unwrap());
            self.seen.push('\n');
        }
        let mut stderr = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ended {
            code,
            stdout: self.seen,
            stderr,
        }
    }
}

/// A namespace of one test, and the right to use the API server.
pub(crate) struct Namespace {
    pub(crate) name: String,
    folder: tempfile::TempDir,
    _shared: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

impl Namespace {
    /// An unused name; `up` creates the namespace.
    pub(crate) fn new(test: &str) -> Self {
        let shared = API_SERVER.read().unwrap_or_else(PoisonError::into_inner);
        Self::named(test, Some(shared), None)
    }

    /// The same, while no other test uses the API server.
    pub(crate) fn alone(test: &str) -> Self {
        let alone = API_SERVER.write().unwrap_or_else(PoisonError::into_inner);
        Self::named(test, None, Some(alone))
    }

    /// One more namespace of the test that holds this one.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self::named(name, None, None)
    }

    fn named(
        test: &str,
        shared: Option<RwLockReadGuard<'static, ()>>,
        alone: Option<RwLockWriteGuard<'static, ()>>,
    ) -> Self {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("e2e-{test}-{}-{number}", std::process::id()),
            folder: tempfile::tempdir().unwrap(),
            _shared: shared,
            _alone: alone,
        }
    }

    /// Writes a file for this test alone.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The folder of this test alone.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let kubeconfig = variable("CRYPTOCTL_SANDBOX_KUBECONFIG");
        self.command_as(&kubeconfig, arguments)
    }

    fn command_as(&self, kubeconfig: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cryptoctl"));
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .args(["--kubeconfig", kubeconfig])
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Runs `cryptoctl -n` this namespace with the identity of a kubeconfig.
    pub(crate) fn here_as(&self, kubeconfig: &Path, arguments: &[&str]) -> Ended {
        let arguments = [&["-n", &self.name], arguments].concat();
        let mut command = self.command_as(kubeconfig.to_str().unwrap(), &arguments);
        Ended::of(&command.output().unwrap())
    }

    /// Runs `cryptoctl` to its end.
    pub(crate) fn cryptoctl(&self, arguments: &[&str]) -> Ended {
        let child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Ended::of(&child.wait_with_output().unwrap())
    }

    /// Runs `cryptoctl -n` this namespace to its end.
    pub(crate) fn here(&self, arguments: &[&str]) -> Ended {
        self.cryptoctl(&[&["-n", &self.name], arguments].concat())
    }

    /// Runs a command that `cryptoctl` has printed, in a shell.
    pub(crate) fn paste(&self, command: &str) -> Ended {
        let program = Path::new(env!("CARGO_BIN_EXE_cryptoctl"));
        let output = Command::new("/bin/sh")
            .env_clear()
            .env("HOME", self.folder.path())
            .env("PATH", program.parent().unwrap())
            .args(["-c", command])
            .stdin(Stdio::null())
            .output();
        Ended::of(&output.unwrap())
    }

    /// Starts `cryptoctl -o json -n` this namespace.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self
            .command(&[&["-o", "json", "-n", &self.name], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running {
            child,
            lines,
            seen: String::new(),
        }
    }

    /// Runs `kubectl -n` this namespace, which must succeed.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.try_kubectl(arguments);
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs `kubectl -n` this namespace.
    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Output {
        Command::new(variable("CRYPTOCTL_SANDBOX_KUBECTL"))
            .env_clear()
            .env("HOME", self.folder.path())
            // `--applyset` is an alpha flag.
            .env("KUBECTL_APPLYSET", "true")
            .args([
                "--kubeconfig",
                &variable("CRYPTOCTL_SANDBOX_KUBECONFIG"),
                "-n",
                &self.name,
            ])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The live object.
    #[track_caller]
    pub(crate) fn object(&self, name: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", name, "-o", "json"])).unwrap()
    }

    /// Waits until a user has a permission: the API server learns of a new role and its binding a
    /// moment later.
    #[track_caller]
    pub(crate) fn until_granted(&self, user: &str, permission: &[&str]) {
        let can = [&["auth", "can-i", "--as", user], permission].concat();
        self.eventually(&format!("kubectl {}", can.join(" ")), || {
            self.try_kubectl(&can).status.success().then_some(())
        });
    }

    /// Waits until `question` returns an answer.
    #[track_caller]
    pub(crate) fn eventually<T>(&self, what: &str, question: impl Fn() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(answer) = question() {
                return answer;
            }
            assert!(
                started.elapsed() < LONGEST,
                "{what}: not within {LONGEST:?}"
            );
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The sandbox is stopped after the tests; a failure here fails nothing.
        self.try_kubectl(&[
            "delete",
            "namespace",
            &self.name,
            "--wait=false",
            "--ignore-not-found",
        ]);
    }
}
