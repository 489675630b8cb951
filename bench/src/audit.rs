//! Counts a client's requests in the API server's audit log.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::BenchError;

/// An entry is written soon after its answer; after this long without one, no more will come.
const QUIET: Duration = Duration::from_millis(150);
const PAUSE: Duration = Duration::from_millis(20);

/// The log, read up to a position.
#[derive(Debug)]
pub(crate) struct AuditLog {
    path: PathBuf,
    file: File,
    /// The beginning of an incomplete line.
    rest: Vec<u8>,
}

impl AuditLog {
    /// Opens the log and skips its contents.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Self, BenchError> {
        let open = || {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        Ok(Self {
            path: path.to_owned(),
            file: open().map_err(BenchError::file("read", path))?,
            rest: Vec::new(),
        })
    }

    /// Skips everything that is in the log now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn skip(&mut self) -> Result<(), BenchError> {
        self.lines().map(drop)
    }

    /// The requests since the last call by clients whose user agent starts with `agent`. Waits
    /// until no more requests appear.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn count(&mut self, agent: &str) -> Result<u64, BenchError> {
        let mut requests = BTreeSet::new();
        let mut last_new = Instant::now();
        while last_new.elapsed() < QUIET {
            let before = requests.len();
            collect(&self.lines()?, agent, &mut requests);
            if requests.len() > before {
                last_new = Instant::now();
            }
            thread::sleep(PAUSE);
        }
        Ok(requests.len().try_into().unwrap_or(u64::MAX))
    }

    /// The complete lines since the last call.
    fn lines(&mut self) -> Result<Vec<u8>, BenchError> {
        self.read().map_err(BenchError::file("read", &self.path))
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut text = std::mem::take(&mut self.rest);
        self.file.read_to_end(&mut text)?;
        // A long log is renamed, and a new one started.
        let named = File::open(&self.path)?;
        if named.metadata()?.ino() != self.file.metadata()?.ino() {
            self.file.read_to_end(&mut text)?;
            self.file = named;
            self.file.read_to_end(&mut text)?;
        }
        let end = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        self.rest = text.split_off(end);
        Ok(text)
    }
}

/// The fields of an entry that are read (`k8s.io/apiserver/pkg/apis/audit/v1`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "auditID")]
    audit_id: String,
    #[serde(default)]
    user_agent: String,
}

/// Collects the IDs of a client's requests; a long request has several entries.
fn collect(lines: &[u8], agent: &str, requests: &mut BTreeSet<String>) {
    let entries = lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    requests.extend(
        entries
            .filter(|entry| entry.user_agent.starts_with(agent))
            .map(|entry| entry.audit_id),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn entry(id: u32, agent: &str, stage: &str) -> String {
        format!(
            "{{\"kind\":\"Event\",\"auditID\":\"{id}\",\"stage\":\"{stage}\",\"userAgent\":\"{agent}\"}}\n"
        )
    }

    #[test]
    fn a_watch_has_two_entries_and_is_one_request() {
        let log = [
            entry(1, "cryptoctl/0.1.0 (up)", "ResponseComplete"),
            entry(2, "cryptoctl/0.1.0 (up)", "ResponseStarted"),
            entry(2, "cryptoctl/0.1.0 (up)", "ResponseComplete"),
            entry(3, "kubectl/v1.37.2 (linux/amd64)", "ResponseComplete"),
            "{\"auditID\":\"4\"}\nnot json\n".to_owned(),
        ]
        .concat();
        let count = |agent| {
            let mut requests = BTreeSet::new();
            collect(log.as_bytes(), agent, &mut requests);
            requests.len()
        };
        assert_eq!(count("cryptoctl/"), 2);
        assert_eq!(count("kubectl/"), 1);
        assert_eq!(count("Helm/"), 0);
    }

    #[test]
    fn what_was_there_before_does_not_count_and_a_renamed_log_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        fs::write(&path, entry(1, "kubectl/", "ResponseComplete")).unwrap();
        let mut log = AuditLog::open(&path).unwrap();

        let mut writer = File::options().append(true).open(&path).unwrap();
        let second = entry(2, "kubectl/", "ResponseComplete");
        let (beginning, end) = second.split_at(10);
        writer.write_all(beginning.as_bytes()).unwrap();
        log.skip().unwrap();
        writer.write_all(end.as_bytes()).unwrap();
        fs::rename(&path, folder.path().join("audit-old.log")).unwrap();
        writer
            .write_all(entry(3, "kubectl/", "ResponseComplete").as_bytes())
            .unwrap();
        fs::write(&path, entry(4, "kubectl/", "ResponseComplete")).unwrap();
        assert_eq!(log.count("kubectl/").unwrap(), 3);
        assert_eq!(log.count("kubectl/").unwrap(), 0);
    }
}
