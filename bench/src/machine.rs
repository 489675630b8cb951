//! The machine and the versions on which the figures depend.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// The origin of the figures.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: u32,
    pub(crate) memory: String,
    pub(crate) kernel: String,
    /// The number of runnable processes in the minute before the first measurement.
    pub(crate) load: String,
    pub(crate) versions: Vec<(String, String)>,
}

const UNKNOWN: &str = "unknown";

impl Machine {
    /// This machine as it is now, with the versions of the tool, its compiler and the others.
    pub(crate) fn here(cryptoctl: &Path, others: &[(String, String)]) -> Self {
        let first = |text: String| text.split_whitespace().next().unwrap_or(UNKNOWN).to_owned();
        let own = [
            ("cryptoctl".to_owned(), version(cryptoctl)),
            ("Rust".to_owned(), version(Path::new("rustc"))),
        ];
        Self {
            processor: processor(&read("/proc/cpuinfo")),
            cores: std::thread::available_parallelism()
                .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
            memory: memory(&read("/proc/meminfo")),
            kernel: first(read("/proc/sys/kernel/osrelease")),
            load: first(read("/proc/loadavg")),
            versions: own.into_iter().chain(others.iter().cloned()).collect(),
        }
    }
}

/// The second word of a program's version output.
fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.split_whitespace().nth(1).unwrap_or(UNKNOWN).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The first model name; not every architecture has one.
fn processor(cpuinfo: &str) -> String {
    let name = cpuinfo
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == "model name");
    name.map_or(UNKNOWN, |(_, value)| value.trim()).to_owned()
}

fn memory(meminfo: &str) -> String {
    let kibibytes = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map_or(UNKNOWN.to_owned(), |kibibytes| {
        format!("{} GiB", (kibibytes + (1 << 19)) >> 20)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_from_the_kernels_files() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Fast CPU @ 3.00GHz\nprocessor\t: 1\n";
        assert_eq!(processor(cpuinfo), "Fast CPU @ 3.00GHz");
        assert_eq!(processor(""), UNKNOWN);
        assert_eq!(
            memory("MemTotal:       24683520 kB\nMemFree: 1 kB\n"),
            "24 GiB"
        );
        assert_eq!(memory(""), UNKNOWN);
    }
}
