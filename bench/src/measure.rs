//! Measures one piece of work, in a separate process.
//!
//! A new process starts with its parent's memory, and the kernel counts that in its peak
//! (`setmax_mm_hiwater_rss` in Linux's `fs/exec.c`). So the parent has to be small: the program
//! runs itself again for each measurement and does nothing else in that process.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use wait4::{ResUse, Wait4};

/// The name of the hidden command that measures.
pub(crate) const COMMAND: &str = "measure";

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Piece {
    /// One command; it has to end with the exit status 0.
    Command(Vec<String>),
    /// What a user does without this tool: a `kubectl port-forward` to each pod, curl through each,
    /// then a comparison of the answers. The words are those up to `port-forward`.
    Forwards {
        kubectl: Vec<String>,
        pods: Vec<String>,
        path: String,
    },
}

impl Piece {
    /// The command as a user would type it, programs without their folders.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Command(words) => shown(words),
            Self::Forwards {
                kubectl,
                pods,
                path,
            } => {
                let forward = shown(kubectl);
                format!(
                    "{} × `{forward} pod/… :80`, `curl http://127.0.0.1:…{path}` for each, compared",
                    pods.len()
                )
            }
        }
    }
}

fn shown(words: &[String]) -> String {
    let Some((program, arguments)) = words.split_first() else {
        return String::new();
    };
    let name = Path::new(program).file_name().map(OsStr::to_string_lossy);
    let name = name.unwrap_or_else(|| program.into());
    std::iter::once(name.as_ref())
        .chain(arguments.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The cost of a piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// From the start of the first process to the end of the last.
    pub(crate) wall_seconds: f64,
    /// User and system time of all processes.
    pub(crate) cpu_seconds: f64,
    /// The peak of the resident memory; the sum of the peaks of several processes.
    pub(crate) peak_bytes: u64,
}

/// A piece of work could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeasureError {
    /// A process could not be started or waited for.
    #[error("cannot run `{program}`")]
    Process { program: String, source: io::Error },
    /// Its exit status says that the work failed.
    #[error("`{command}` ended with {status}: {message}")]
    Failed {
        command: String,
        status: ExitStatus,
        message: String,
    },
    /// The piece cannot be read, or its figures cannot be written.
    #[error("the measuring process cannot read its input or write its output")]
    Message(#[source] io::Error),
    /// A port-forward did not print its address.
    #[error("`{0}` did not print the address on which it listens")]
    NoPort(String),
    /// The pods gave different answers.
    #[error("the pods gave different answers")]
    Different,
}

/// The hidden command: measures a piece, given as JSON, and writes its usage as JSON.
///
/// # Errors
/// When the work failed.
pub(crate) fn run(piece: &str, into: &Path) -> Result<(), MeasureError> {
    let message = |error: serde_json::Error| MeasureError::Message(error.into());
    let piece: Piece = serde_json::from_str(piece).map_err(message)?;
    let errors = into.with_extension("stderr");
    let usage = match &piece {
        Piece::Command(words) => command(words, &errors)?,
        Piece::Forwards {
            kubectl,
            pods,
            path,
        } => forwards(kubectl, pods, path, &errors)?,
    };
    let text = serde_json::to_string(&usage).map_err(message)?;
    fs::write(into, text).map_err(MeasureError::Message)
}

fn command(words: &[String], errors: &Path) -> Result<Usage, MeasureError> {
    let begun = Instant::now();
    let used = Running::start(words, Stdio::null(), errors)?.end()?;
    Ok(total(begun.elapsed(), &[used]))
}

fn forwards(
    kubectl: &[String],
    pods: &[String],
    path: &str,
    errors: &Path,
) -> Result<Usage, MeasureError> {
    let begun = Instant::now();
    let mut forwards = Vec::new();
    for pod in pods {
        let pod = format!("pod/{pod}");
        let words: Vec<String> = kubectl
            .iter()
            .cloned()
            .chain([pod, ":80".to_owned()])
            .collect();
        forwards.push(Running::start(&words, Stdio::piped(), errors)?);
    }
    let mut used = Vec::new();
    let mut answers = Vec::new();
    for forward in &mut forwards {
        let url = format!("http://127.0.0.1:{}{path}", forward.port()?);
        let words = ["curl", "--silent", "--fail", &url].map(str::to_owned);
        let mut curl = Running::start(&words, Stdio::piped(), errors)?;
        answers.push(curl.output()?);
        used.push(curl.end()?);
    }
    if answers.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(MeasureError::Different);
    }
    for forward in forwards {
        used.push(forward.stop()?);
    }
    Ok(total(begun.elapsed(), &used))
}

/// A process that is measured when it ends.
struct Running<'a> {
    child: Child,
    words: Vec<String>,
    errors: &'a Path,
}

impl<'a> Running<'a> {
    fn start(words: &[String], output: Stdio, errors: &'a Path) -> Result<Self, MeasureError> {
        let (program, arguments) = words
            .split_first()
            .map_or(("", words), |(first, rest)| (first.as_str(), rest));
        let spawned = File::create(errors).and_then(|errors| {
            Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(errors)
                .spawn()
        });
        Ok(Self {
            child: spawned.map_err(|source| failed_process(words, source))?,
            words: words.to_vec(),
            errors,
        })
    }

    /// The local port that `kubectl port-forward` names in its first line.
    fn port(&mut self) -> Result<u16, MeasureError> {
        let no_port = || MeasureError::NoPort(shown(&self.words));
        let output = self.child.stdout.as_mut().ok_or_else(no_port)?;
        let mut line = String::new();
        let read = BufReader::new(output).read_line(&mut line);
        read.map_err(|source| failed_process(&self.words, source))?;
        forwarded_port(&line).ok_or_else(no_port)
    }

    fn output(&mut self) -> Result<Vec<u8>, MeasureError> {
        let mut bytes = Vec::new();
        if let Some(output) = self.child.stdout.as_mut() {
            io::copy(output, &mut bytes).map_err(|source| failed_process(&self.words, source))?;
        }
        Ok(bytes)
    }

    /// Waits for its end, which has to be a success.
    fn end(self) -> Result<ResUse, MeasureError> {
        let words = self.words;
        let used = self
            .child
            .wait4()
            .map_err(|source| failed_process(&words, source))?;
        if used.status.success() {
            return Ok(used);
        }
        Err(MeasureError::Failed {
            command: shown(&words),
            status: used.status,
            message: fs::read_to_string(self.errors).unwrap_or_default(),
        })
    }

    /// Ends a process that would otherwise run forever.
    fn stop(mut self) -> Result<ResUse, MeasureError> {
        self.child
            .kill()
            .map_err(|source| failed_process(&self.words, source))?;
        self.child
            .wait4()
            .map_err(|source| failed_process(&self.words, source))
    }
}

fn failed_process(words: &[String], source: io::Error) -> MeasureError {
    let program = words.first().cloned().unwrap_or_default();
    MeasureError::Process { program, source }
}

/// Reads `Forwarding from 127.0.0.1:40123 -> 80`.
fn forwarded_port(line: &str) -> Option<u16> {
    let address = line.strip_prefix("Forwarding from ")?.split(' ').next()?;
    address.rsplit(':').next()?.parse().ok()
}

fn total(wall: Duration, used: &[ResUse]) -> Usage {
    let cpu: Duration = used
        .iter()
        .map(|used| used.rusage.utime + used.rusage.stime)
        .sum();
    Usage {
        wall_seconds: wall.as_secs_f64(),
        cpu_seconds: cpu.as_secs_f64(),
        peak_bytes: used.iter().map(|used| used.rusage.maxrss).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn measured(script: &str) -> Result<Usage, MeasureError> {
        let folder = tempfile::tempdir().unwrap();
        let piece = Piece::Command(vec!["sh".into(), "-c".into(), script.into()]);
        let into = folder.path().join("usage.json");
        run(&serde_json::to_string(&piece).unwrap(), &into)?;
        Ok(serde_json::from_str(&fs::read_to_string(into).unwrap()).unwrap())
    }

    #[test]
    fn a_command_is_measured_with_what_it_started_itself() {
        let idle = measured("exit 0").unwrap();
        assert!(idle.wall_seconds > 0.0 && idle.peak_bytes > 0);
        let busy =
            measured("sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; true").unwrap();
        assert!(busy.cpu_seconds > idle.cpu_seconds);
    }

    #[test]
    fn failed_work_has_no_figures_but_a_reason() {
        let error = measured("echo why >&2; exit 3").unwrap_err().to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("why"),
            "{error}"
        );
    }

    #[test]
    fn a_port_is_read_from_the_first_line() {
        assert_eq!(
            forwarded_port("Forwarding from 127.0.0.1:40123 -> 80\n"),
            Some(40123)
        );
        assert_eq!(forwarded_port("error: no such pod\n"), None);
        assert_eq!(forwarded_port(""), None);
    }

    #[test]
    fn programs_are_shown_without_their_folders() {
        let piece = Piece::Command(words("/cache/kubectl get --raw /version"));
        assert_eq!(piece.shown(), "kubectl get --raw /version");
    }
}
