//! Kubernetes and etcd, built from source as Go tool dependencies.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::{Cache, Key};
use crate::command::{self, CommandError};
use crate::files::{self, FileError};
use crate::foreground::{Foreground, ForegroundError};
use crate::interrupt::Interrupt;
use crate::terminal;

/// A Go module that names the programs to build and pins all their dependencies.
#[derive(Debug)]
pub(crate) struct GoModule {
    /// The name of its folder in the cache.
    name: &'static str,
    pub(crate) title: &'static str,
    go_mod: &'static str,
    go_sum: &'static str,
    /// The Kubernetes programs read their version from the build.
    stamped: bool,
}

/// API server, controller manager, scheduler, kubelet and kubectl.
pub(crate) const KUBERNETES: GoModule = GoModule {
    name: "kubernetes",
    title: "Kubernetes (about six minutes on two cores, once)",
    go_mod: include_str!("../tools/kubernetes/go.mod"),
    go_sum: include_str!("../tools/kubernetes/go.sum"),
    stamped: true,
};

/// The etcd server.
pub(crate) const ETCD: GoModule = GoModule {
    name: "etcd",
    title: "etcd (about half a minute, once)",
    go_mod: include_str!("../tools/etcd/go.mod"),
    go_sum: include_str!("../tools/etcd/go.sum"),
    stamped: false,
};

/// helm, which only `bench` needs.
pub(crate) const HELM: GoModule = GoModule {
    name: "helm",
    title: "helm (about a minute, once)",
    go_mod: include_str!("../tools/helm/go.mod"),
    go_sum: include_str!("../tools/helm/go.sum"),
    stamped: false,
};

/// kwok, which pretends to be nodes and their kubelets; only `bench` needs it.
pub(crate) const KWOK: GoModule = GoModule {
    name: "kwok",
    title: "kwok (about two minutes, once)",
    go_mod: include_str!("../tools/kwok/go.mod"),
    go_sum: include_str!("../tools/kwok/go.sum"),
    stamped: false,
};

/// A program could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolchainError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Go did not run to its end.
    #[error(transparent)]
    Foreground(#[from] ForegroundError),
    /// Go did not print its version.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The build failed.
    #[error("cannot build {name}; the end of Go's output:\n  {}", last_lines.join("\n  "))]
    Build {
        name: &'static str,
        last_lines: Vec<String>,
    },
}

impl ToolchainError {
    /// Whether the build was ended from outside.
    pub(crate) fn is_interruption(&self) -> bool {
        matches!(self, Self::Foreground(ForegroundError::Interrupted(_)))
    }
}

impl GoModule {
    /// The folder with the programs; builds them if they are missing.
    ///
    /// # Errors
    /// When they cannot be built, and when interrupted.
    pub(crate) fn ensure(
        &self,
        cache: &Cache,
        interrupt: &Interrupt,
    ) -> Result<PathBuf, ToolchainError> {
        let key = self.key()?;
        cache.ensure(self.name, &key, |folder| {
            terminal::progress(format_args!("building {}", self.title));
            let module = folder.join("module");
            files::create_private_folder(&module)?;
            files::write_private(&module.join("go.mod"), self.go_mod)?;
            files::write_private(&module.join("go.sum"), self.go_sum)?;

            let mut command = Command::new("go");
            command
                .args([
                    "build",
                    "-v",
                    "-trimpath",
                    "-ldflags",
                    &self.linker_flags(),
                    "-o",
                ])
                .arg(folder)
                .arg("tool")
                .env("CGO_ENABLED", "0")
                .current_dir(&module);
            build(self.name, command, &folder.join("build.log"), interrupt)
        })
    }

    /// Whether they have to be built.
    pub(crate) fn is_missing(&self, cache: &Cache) -> bool {
        self.key().map_or(true, |key| !cache.has(self.name, &key))
    }

    /// Another version, another compiler or other flags produce other programs.
    fn key(&self) -> Result<Key, CommandError> {
        let (go, flags) = (go_version()?, self.linker_flags());
        Ok(Key::of(
            [self.go_mod, self.go_sum, &go, &flags].map(str::as_bytes),
        ))
    }

    /// Omits debug symbols, and sets the version that the program cannot know.
    fn linker_flags(&self) -> String {
        let mut flags = vec!["-s -w".to_owned()];
        let stamp = self.version_of("k8s.io/kubernetes");
        let Some(version) = stamp.filter(|_| self.stamped) else {
            return flags.concat();
        };
        let mut numbers = version.trim_start_matches('v').split('.');
        let (major, minor) = (
            numbers.next().unwrap_or_default(),
            numbers.next().unwrap_or_default(),
        );
        for package in [
            "k8s.io/component-base/version",
            "k8s.io/client-go/pkg/version",
        ] {
            for (name, value) in [
                ("gitVersion", version),
                ("gitMajor", major),
                ("gitMinor", minor),
                ("gitTreeState", "clean"),
                ("gitCommit", "unknown"),
                ("buildDate", "1970-01-01T00:00:00Z"),
            ] {
                flags.push(format!(" -X {package}.{name}={value}"));
            }
        }
        flags.concat()
    }

    /// The version of a module that `go.mod` requires.
    pub(crate) fn version_of(&self, module: &str) -> Option<&'static str> {
        self.go_mod.lines().find_map(|line| {
            let mut words = line
                .split_whitespace()
                .skip_while(|word| *word == "require");
            (words.next() == Some(module))
                .then(|| words.next())
                .flatten()
        })
    }
}

/// The version of the installed Go.
///
/// # Errors
/// When Go is not installed.
pub(crate) fn go_version() -> Result<String, CommandError> {
    command::run("go", ["env", "GOVERSION"]).map(|version| version.trim().to_owned())
}

/// Runs a Go build and shows the number of compiled packages.
fn build(
    name: &'static str,
    mut command: Command,
    log: &Path,
    interrupt: &Interrupt,
) -> Result<(), ToolchainError> {
    const REPORT_INTERVAL: Duration = Duration::from_secs(15);
    command::without_kubeconfig(&mut command)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut running = Foreground::spawn(&mut command)?;
    let output = running.take_stderr();
    let mut log_file = files::append_private(log)?;
    let packages = AtomicUsize::new(0);
    let begun = Instant::now();

    let status = thread::scope(|scope| {
        scope.spawn(|| {
            let lines = output
                .into_iter()
                .flat_map(|output| BufReader::new(output).lines());
            for line in lines.map_while(Result::ok) {
                packages.fetch_add(1, Ordering::Relaxed);
                let _ = writeln!(log_file, "{line}");
            }
        });
        let mut reported = begun;
        running.wait(interrupt, || {
            if reported.elapsed() > REPORT_INTERVAL {
                reported = Instant::now();
                let count = packages.load(Ordering::Relaxed);
                let seconds = begun.elapsed().as_secs();
                terminal::progress(format_args!("  {name}: {count} packages after {seconds} s"));
            }
        })
    })?;
    if status.success() {
        return Ok(());
    }
    Err(ToolchainError::Build {
        name,
        last_lines: files::last_lines(log, 12),
    })
}

/// Builds all programs of a module without dependencies into a folder.
///
/// # Errors
/// When they cannot be built.
pub(crate) fn build_programs(module: &Path, into: &Path) -> Result<(), CommandError> {
    let mut command = Command::new("go");
    command
        .args(["build", "-trimpath", "-ldflags", "-s -w", "-o"])
        .arg(into)
        .arg("./...")
        .env("CGO_ENABLED", "0")
        .current_dir(module);
    command::output_of(command).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubernetes_states_the_version_it_is_built_from() {
        let version = KUBERNETES.version_of("k8s.io/kubernetes").unwrap();
        assert!(version.starts_with("v1."), "{version}");
        let flags = KUBERNETES.linker_flags();
        assert!(flags.contains(&format!(
            "-X k8s.io/component-base/version.gitVersion={version}"
        )));
        assert!(flags.contains("-X k8s.io/client-go/pkg/version.gitMajor=1 "));
    }

    #[test]
    fn etcd_knows_its_version_by_itself() {
        assert_eq!(ETCD.linker_flags(), "-s -w");
    }
}
