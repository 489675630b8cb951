//! Runs the real binary in a clean environment.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use apiserver_model::{ApiServer, Pods, Reply};
use snapbox::Redactions;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// Long enough for every test on a loaded machine; a hang ends here, not in the CI's timeout.
const LIMIT: Duration = Duration::from_mins(5);

/// A deadline for what never happens: on a busy machine, too, everything that comes before it has been seen
/// by then.
pub(crate) const DEADLINE: &str = "20s";

/// What every replica of the built-in set serves in the tests.
pub(crate) const KEYS: &str = "1\n22\n333\n4444\n5\n";

/// A server with the built-in set up and Ready, every replica serving the same keys; the requests
/// that this took are forgotten.
pub(crate) async fn built_in() -> ApiServer {
    let server = ApiServer::listen().await;
    server.serve(Pods::of("cryptoserver"), "/keys", Reply::ok(KEYS));
    Cryptoctl::new(&server).arg("up").run().await.expect_code(0);
    server.forget_requests();
    server
}

/// One call of `cryptoctl`, without the caller's environment.
pub(crate) struct Cryptoctl {
    home: TempDir,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    input: Option<String>,
    limit: Duration,
    shell: Option<String>,
}

impl Cryptoctl {
    /// A call as the administrator of a server.
    pub(crate) fn new(server: &ApiServer) -> Self {
        let call = Self::without_cluster();
        let kubeconfig = server.kubeconfig_file(call.home.path());
        call.env("KUBECONFIG", kubeconfig)
    }

    /// A call with another token of a server.
    pub(crate) fn with_token(server: &ApiServer, token: &str) -> Self {
        let call = Self::without_cluster();
        let kubeconfig = server.kubeconfig_file_for(call.home.path(), token);
        call.env("KUBECONFIG", kubeconfig)
    }

    /// A call without any kubeconfig.
    pub(crate) fn without_cluster() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            home,
            arguments: Vec::new(),
            variables: Vec::new(),
            folder: None,
            input: None,
            limit: LIMIT,
            shell: None,
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(
            arguments
                .into_iter()
                .map(|argument| argument.as_ref().to_owned()),
        );
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Starts in this folder instead of in an empty one.
    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Its standard input, which is empty otherwise.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Kills it after this time.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Lets it have no more memory for data than this, in KiB; whoever wants more aborts.
    pub(crate) fn memory(self, kibibytes: u64) -> Self {
        self.shell(&format!("ulimit -d {kibibytes} && exec \"$@\""))
    }

    /// Starts it inside a shell command, in which it is `"$@"`.
    pub(crate) fn shell(mut self, words: &str) -> Self {
        self.shell = Some(words.to_owned());
        self
    }

    /// The folder that `HOME` names; the call starts in it.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs it to its end.
    pub(crate) async fn run(self) -> Output {
        self.start().await.finish().await
    }

    /// Starts it in the background.
    pub(crate) async fn start(self) -> Process {
        let binary = env!("CARGO_BIN_EXE_cryptoctl");
        let mut command = match &self.shell {
            None => Command::new(binary),
            Some(words) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", words, "sh", binary]);
                shell
            }
        };
        command
            .args(&self.arguments)
            .current_dir(self.folder.as_deref().unwrap_or(self.home.path()))
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "dumb")
            .env("NO_COLOR", "1")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(if self.input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        if let (Some(text), Some(mut stdin)) = (&self.input, child.stdin.take()) {
            // A program that ends without reading breaks the pipe, which is not a failure of the test.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        Process {
            child,
            stdout,
            stderr,
            limit: self.limit,
            home: self.home,
        }
    }
}

fn collect(mut stream: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    })
}

/// A running call.
pub(crate) struct Process {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    limit: Duration,
    home: TempDir,
}

impl Process {
    /// Presses Ctrl-C.
    pub(crate) async fn interrupt(&self) {
        self.signal("INT").await;
    }

    /// Sends SIGTERM, as a CI system does.
    pub(crate) async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// Closes its terminal.
    pub(crate) async fn hang_up(&self) {
        self.signal("HUP").await;
    }

    /// Stops reading its output, as `head` does, and waits for its end.
    pub(crate) async fn leave_unread(mut self) -> ExitStatus {
        self.stdout.abort();
        let ended = tokio::time::timeout(self.limit, self.child.wait()).await;
        ended.unwrap().unwrap()
    }

    /// Kills it with SIGKILL, as the kernel does when memory runs out.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        // The standard library can only send SIGKILL; the program `kill` exists wherever these tests run.
        let status = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()
            .await
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) async fn finish(mut self) -> Output {
        let ended = tokio::time::timeout(self.limit, self.child.wait()).await;
        let status = if let Ok(status) = ended {
            Some(status.unwrap())
        } else {
            self.child.kill().await.unwrap();
            None
        };
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (
            text(self.stdout.await.unwrap()),
            text(self.stderr.await.unwrap()),
        );
        drop(self.home);
        let Some(status) = status else {
            panic!(
                "still running after {:?}\nstdout:\n{stdout}\nstderr:\n{stderr}",
                self.limit
            );
        };
        Output {
            status,
            stdout,
            stderr,
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its status.
    pub(crate) status: ExitStatus,
    /// Its data.
    pub(crate) stdout: String,
    /// Everything that it wrote to standard error.
    pub(crate) stderr: String,
}

impl Output {
    /// The exit code.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Checks the exit code, with the whole output in the message.
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code(),
            code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The lines of stdout as JSON.
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Compares with `snapbox`: values that differ between runs are replaced by names in brackets.
pub(crate) fn assertion() -> snapbox::Assert {
    let mut redactions = Redactions::new();
    let patterns = [
        (
            "[TIME]",
            r"(?<redacted>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)",
        ),
        ("[DURATION]", r"(?<redacted>\b\d+(\.\d+)?\s?(ms|s|m|h)\b)"),
        (
            "[UID]",
            r"(?<redacted>\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b)",
        ),
        ("[ADDRESS]", r"(?<redacted>127\.0\.0\.1:\d+)"),
    ];
    for (name, pattern) in patterns {
        redactions
            .insert(name, regex::Regex::new(pattern).unwrap())
            .unwrap();
    }
    snapbox::Assert::new()
        .action_env("SNAPSHOTS")
        .redact_with(redactions)
}

#[tokio::test]
async fn a_call_sees_only_its_own_environment() {
    let call = Cryptoctl::without_cluster()
        .arg("--version")
        .limit(Duration::from_secs(30));
    assert!(call.home().read_dir().unwrap().next().is_none());
    let output = call.run().await.expect_code(0);
    assert_eq!(output.stderr, "");
}
