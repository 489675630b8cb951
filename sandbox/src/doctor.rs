//! The requirements of a sandbox on this machine.

use std::fs;
use std::path::Path;

use crate::cache::Cache;
use crate::{packages, process, supervisor, toolchain};

/// One requirement.
#[derive(Debug)]
pub(crate) struct Check {
    /// The requirement, as a statement that is true if it is met.
    pub(crate) what: &'static str,
    pub(crate) problem: Option<Problem>,
}

/// Why it is not met, and how to fix it.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) found: String,
    pub(crate) remedy: &'static str,
}

const ELSEWHERE: &str = "use a kind or minikube cluster instead, which needs Docker";

/// Checks everything, even after the first problem.
pub(crate) fn examine() -> Vec<Check> {
    vec![
        Check {
            what: "the system is Linux",
            problem: linux(),
        },
        Check {
            what: "the user is root",
            problem: root(),
        },
        Check {
            what: "Go is installed",
            problem: go(),
        },
        Check {
            what: "Debian's package tools are there",
            problem: package_tools(),
        },
        Check {
            what: "there is space for the programs",
            problem: disk_space(),
        },
        Check {
            what: "the kernel has overlay file systems",
            problem: overlay(),
        },
        Check {
            what: "the kernel has cgroups for memory, CPU and process counts",
            problem: cgroups(),
        },
        Check {
            what: "no other kubelet runs on this machine",
            problem: other_kubelet(),
        },
    ]
}

/// What the next start will fetch and build.
pub(crate) fn outstanding(cache: &Cache) -> Vec<String> {
    let packages = packages::are_missing(cache).then(packages::title);
    let modules = [&toolchain::ETCD, &toolchain::KUBERNETES].into_iter();
    let modules = modules
        .filter(|module| module.is_missing(cache))
        .map(|module| module.title.to_owned());
    packages.into_iter().chain(modules).collect()
}

fn linux() -> Option<Problem> {
    (!cfg!(target_os = "linux")).then(|| Problem {
        found: format!("it is {}", std::env::consts::OS),
        remedy: ELSEWHERE,
    })
}

fn root() -> Option<Problem> {
    (!rustix::process::geteuid().is_root()).then(|| Problem {
        found: "kubelet and containerd can run as root only".to_owned(),
        remedy: "become root, for example with `sudo --preserve-env=PATH`; or use a kind or minikube cluster",
    })
}

fn go() -> Option<Problem> {
    const NEEDED: (u32, u32) = (1, 21);
    let remedy = "install Go from go.dev or your distribution and put it on the PATH; or use a kind or minikube cluster";
    match toolchain::go_version() {
        Err(error) => Some(Problem {
            found: error.to_string(),
            remedy,
        }),
        Ok(version) if parse_go_version(&version).is_some_and(|found| found < NEEDED) => {
            Some(Problem {
                found: format!("{version} is too old to fetch the version it needs"),
                remedy,
            })
        }
        Ok(_) => None,
    }
}

fn parse_go_version(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("go")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn package_tools() -> Option<Problem> {
    let missing: Vec<&str> = ["apt-get", "dpkg-deb", "setsid", "umount"]
        .into_iter()
        .filter(|tool| !on_path(tool))
        .collect();
    (!missing.is_empty()).then(|| Problem {
        found: format!("missing: {}", missing.join(", ")),
        remedy: "run it on Debian 12 or newer, or a relative of it; or use a kind or minikube cluster",
    })
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}

fn disk_space() -> Option<Problem> {
    const NEEDED_GIB: u64 = 8;
    let cache = Cache::of_user().ok()?;
    let statistics = rustix::fs::statvfs(cache.existing_parent()).ok()?;
    let free_gib = statistics.f_bavail * statistics.f_frsize / (1 << 30);
    (free_gib < NEEDED_GIB && toolchain::KUBERNETES.is_missing(&cache)).then(|| Problem {
        found: format!("{free_gib} GiB are free for the cache, but the first build takes {NEEDED_GIB} GiB"),
        remedy: "free some space, or set XDG_CACHE_HOME, GOCACHE and GOMODCACHE to folders that have it",
    })
}

fn overlay() -> Option<Problem> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    (!known.lines().any(|line| line.ends_with("\toverlay"))).then(|| Problem {
        found: "`overlay` is not in /proc/filesystems".to_owned(),
        remedy: "load it with `modprobe overlay`",
    })
}

fn cgroups() -> Option<Problem> {
    let root = Path::new("/sys/fs/cgroup");
    let version_2 = fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default();
    let missing: Vec<&str> = ["memory", "cpu", "pids"]
        .into_iter()
        .filter(|name| {
            !root.join(name).is_dir() && !version_2.split_whitespace().any(|it| it == *name)
        })
        .collect();
    (!missing.is_empty()).then(|| Problem {
        found: format!("missing under {}: {}", root.display(), missing.join(", ")),
        remedy: "mount the cgroup file system, or use a machine that is not itself a container",
    })
}

/// The names of kubelet processes as the kernel shows them: alone, or within k3s, RKE2 or
/// `MicroK8s`.
const KUBELETS: [&str; 4] = ["kubelet", "k3s-server", "k3s-agent", "kubelite"];

/// Two kubelets would share a socket whose path cannot be changed, and each other's pod cgroups.
/// Files that another kubelet has left behind do no harm, and other sandboxes are isolated.
fn other_kubelet() -> Option<Problem> {
    let other = KUBELETS.into_iter().find_map(|name| {
        process::of_program(name, supervisor::MARK)
            .into_iter()
            .next()
    })?;
    let command: String = other.command_line().chars().take(100).collect();
    Some(Problem {
        found: format!("process {} is a kubelet (`{command}`)", other.pid),
        remedy: "use the cluster that it belongs to, stop it, or use another machine",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_as_numbers() {
        assert_eq!(parse_go_version("go1.26.8"), Some((1, 26)));
        assert!(parse_go_version("go1.9.2") < parse_go_version("go1.21"));
        assert_eq!(parse_go_version("devel"), None);
    }
}
