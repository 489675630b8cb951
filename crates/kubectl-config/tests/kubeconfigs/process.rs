//! Runs kubectl and the program under test to their ends in a case's folder.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The kernel needs a moment between a signal and the end.
const LONGEST_DEATH: Duration = Duration::from_secs(3);
/// How often it is looked whether a process is over.
const PAUSE: Duration = Duration::from_millis(20);

/// Who is to be held against the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// The one under test: a command line that sends requests as soon as it knows where to, about objects
    /// whose namespace the context decides; it never succeeds here.
    Ours(Vec<String>),
    /// The one that sets the rules.
    Kubectl(PathBuf),
}

impl Program {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Ours(_) => "ours",
            Self::Kubectl(_) => "kubectl",
        }
    }

    /// The command line before a case's own arguments.
    fn line(&self) -> Vec<String> {
        match self {
            Self::Ours(line) => line.clone(),
            Self::Kubectl(path) => [path.to_str().unwrap(), "get", "pods"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

/// Where a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Anywhere.
    Plain,
    /// Standard input and output are a terminal.
    Terminal,
    /// In a mount namespace of its own, with a service account's files where a pod has them.
    Pod,
}

/// What a run has around it.
pub(crate) struct Circumstances {
    /// Where it runs.
    pub(crate) place: Place,
    /// When it is killed.
    pub(crate) limit: Duration,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// None when it had to be killed.
    pub(crate) code: Option<i32>,
    /// Everything that it said.
    pub(crate) output: String,
}

/// Runs a program in `folder`, with nothing of this process's environment.
pub(crate) fn run(
    program: &Program,
    folder: &Path,
    arguments: &[String],
    environment: &[(String, String)],
    circumstances: &Circumstances,
) -> Ended {
    let line = [program.line(), arguments.to_owned()].concat();
    // Files, not pipes: a plugin that outlives its caller would keep pipes open.
    let output = folder.join(format!("{}.output", program.name()));
    let file = File::create(&output).unwrap();
    let mut child = command(&line, circumstances.place, folder)
        .current_dir(folder.join("work"))
        .env_clear()
        .env("HOME", folder.join("home"))
        .env("PATH", "/usr/bin:/bin")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    // What is typed belongs to the caller; a plugin must not read it. Nobody may be listening.
    drop(child.stdin.take().unwrap().write_all(b"typed\n"));
    let id = child.id().to_string();
    let (sender, ended) = mpsc::channel();
    let waiting = std::thread::spawn(move || {
        let status = child.wait();
        // Nobody listens after the limit.
        drop(sender.send(status));
    });
    let code = if let Ok(status) = ended.recv_timeout(circumstances.limit) {
        status.unwrap().code()
    } else {
        Command::new("kill").args(["-KILL", &id]).status().unwrap();
        None
    };
    waiting.join().unwrap();
    Ended {
        code,
        output: String::from_utf8_lossy(&std::fs::read(output).unwrap()).into_owned(),
    }
}

/// Puts the service account's files where every pod has them, seen by nobody else.
const ENTER_POD: &str = "mount -t tmpfs none /run \
    && mkdir -p /var/run/secrets/kubernetes.io \
    && cp -r \"$0\" /var/run/secrets/kubernetes.io/serviceaccount \
    && exec \"$@\"";

fn command(line: &[String], place: Place, folder: &Path) -> Command {
    match place {
        Place::Plain => {
            let mut command = Command::new(&line[0]);
            command.args(&line[1..]);
            command
        }
        Place::Terminal => {
            // `script` of util-linux makes a terminal, and passes on what it reads and the status.
            let quoted: Vec<String> = line
                .iter()
                .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
                .collect();
            let mut command = Command::new("script");
            command.args(["-q", "-e", "-c", &quoted.join(" "), "/dev/null"]);
            command
        }
        Place::Pod => {
            let mut command = Command::new("unshare");
            command
                .args(["--mount", "sh", "-c", ENTER_POD])
                .arg(folder.join("pod"))
                .args(line);
            command
        }
    }
}

/// Waits until a process that a test's program started is over, and kills it when it is not.
///
/// Somebody else may have to collect its status, so one that only waits for that is over.
pub(crate) fn is_over_soon(id: &str) -> bool {
    let started = Instant::now();
    while !is_over(id) {
        if started.elapsed() > LONGEST_DEATH {
            Command::new("kill").args(["-KILL", id]).status().unwrap();
            return false;
        }
        std::thread::sleep(PAUSE);
    }
    true
}

fn is_over(id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).map_or(true, |stat| {
        // The state stands after the name in parentheses, which may contain anything.
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z'))
    })
}
