//! Identifies processes reliably, although the kernel reuses their numbers.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

/// A process number with the start time of the process; together they are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    start_time: u64,
}

/// The state of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessState {
    Alive,
    /// Stopped by a signal until it is continued.
    Frozen,
    Gone,
}

impl Process {
    /// The process that has this number now.
    pub(crate) fn with_pid(pid: i32) -> Option<Self> {
        let (_, start_time) = read_stat(pid)?;
        Some(Self { pid, start_time })
    }

    /// The command line that it was started with.
    pub(crate) fn command_line(self) -> String {
        let words = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        words.trim_end().to_owned()
    }

    fn has_in_environment(self, holds: impl Fn(&[u8]) -> bool) -> bool {
        fs::read(format!("/proc/{}/environ", self.pid))
            .is_ok_and(|environment| environment.split(|byte| *byte == 0).any(holds))
    }

    /// The state of the process; a zombie counts as gone.
    pub(crate) fn state(self) -> ProcessState {
        match read_stat(self.pid) {
            Some((state, start_time)) if start_time == self.start_time => match state {
                'Z' | 'X' => ProcessState::Gone,
                'T' | 't' => ProcessState::Frozen,
                _ => ProcessState::Alive,
            },
            _ => ProcessState::Gone,
        }
    }

    /// Sends a signal, unless the process is gone.
    ///
    /// # Errors
    /// When the kernel refuses, for lack of permission.
    pub(crate) fn signal(self, signal: Signal) -> io::Result<()> {
        if self.state() == ProcessState::Gone {
            return Ok(());
        }
        match Pid::from_raw(self.pid).map(|pid| kill_process(pid, signal)) {
            Some(Err(errno)) if errno != rustix::io::Errno::SRCH => Err(errno.into()),
            _ => Ok(()),
        }
    }

    /// Kills the process and waits until it is gone; `false` if it still exists after `patience`.
    pub(crate) fn kill(self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let _ = self.signal(Signal::KILL);
        while self.state() != ProcessState::Gone {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }
}

/// All processes that were started with this variable in their environment.
pub(crate) fn with_environment(variable: &str, value: impl AsRef<OsStr>) -> Vec<Process> {
    let wanted = [variable.as_bytes(), b"=", value.as_ref().as_encoded_bytes()].concat();
    running()
        .filter(|process| process.has_in_environment(|entry| entry == wanted))
        .collect()
}

/// All processes of a program, by the name that the kernel knows, except those that were started
/// with this variable in their environment, whatever its value.
pub(crate) fn of_program(name: &str, but_with: &str) -> Vec<Process> {
    let marked = [but_with.as_bytes(), b"="].concat();
    running()
        .filter(|process| {
            fs::read_to_string(format!("/proc/{}/comm", process.pid))
                .is_ok_and(|command| command.trim_end() == name)
        })
        .filter(|process| !process.has_in_environment(|entry| entry.starts_with(&marked)))
        .collect()
}

fn running() -> impl Iterator<Item = Process> {
    crate::files::entries(&PathBuf::from("/proc"))
        .into_iter()
        .filter_map(|folder| folder.file_name()?.to_str()?.parse().ok())
        .filter_map(Process::with_pid)
        .filter(|process| process.state() != ProcessState::Gone)
}

fn read_stat(pid: i32) -> Option<(char, u64)> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The state and the start time in a line of `/proc/PID/stat`.
fn parse_stat(line: &str) -> Option<(char, u64)> {
    // The second field is the program's name in parentheses and may itself contain both
    // parentheses and spaces, so the fields are counted from the last one.
    let (_, fields) = line.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let start_time = fields.nth(18)?.parse().ok()?;
    Some((state, start_time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn reads_state_and_start_time_behind_an_odd_name() {
        let line = "42 (a b) c) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3";
        assert_eq!(parse_stat(line), Some(('S', 98_765)));
        assert_eq!(parse_stat("42 (cut) S 1"), None);
    }

    #[test]
    fn a_process_is_followed_from_alive_to_gone() {
        let mut child = Command::new("sleep")
            .arg("60")
            .env("MARK", "here-and-only-here")
            .spawn()
            .unwrap();
        let process = Process::with_pid(child.id().try_into().unwrap()).unwrap();
        assert_eq!(process.state(), ProcessState::Alive);
        process.signal(Signal::STOP).unwrap();
        while process.state() != ProcessState::Frozen {
            thread::yield_now();
        }
        assert_eq!(with_environment("MARK", "here-and-only-here"), [process]);
        assert_eq!(process.command_line(), "sleep 60");
        assert!(of_program("sleep", "NO_SUCH_MARK").contains(&process));
        assert!(!of_program("sleep", "MARK").contains(&process));
        assert!(process.kill(Duration::from_secs(5)));
        child.wait().unwrap();
        assert!(with_environment("MARK", "here-and-only-here").is_empty());
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let mut process = Process::with_pid(std::process::id().try_into().unwrap()).unwrap();
        process.start_time += 1;
        assert_eq!(process.state(), ProcessState::Gone);
    }
}
