//! The API server dies in the middle of a command and comes back: the command continues, and no
//! verdict is wrong. These tests hold the API server exclusively.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::harness::{Namespace, variable};
use crate::sets;

pub(crate) fn sandbox(arguments: &[&str]) {
    let name = variable("CRYPTOCTL_SANDBOX_NAME");
    let output = Command::new(variable("CRYPTOCTL_SANDBOX_BINARY"))
        .args(arguments)
        .args(["--name", &name])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Kills the API server, and starts it again, with whatever ends because it was away: a scheduler that
/// has just started, for one, and later than the API server is back.
fn restart() -> Healing {
    sandbox(&["kill", "kube-apiserver"]);
    sandbox(&["start"]);
    Healing::begin()
}

/// Restarts components that have ended, until it is dropped.
struct Healing {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Healing {
    fn begin() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                sandbox(&["start"]);
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        Self {
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Healing {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A component that could not be started shows in the test itself.
            let _ = thread.join();
        }
    }
}

#[test]
fn up_survives_a_restart_of_the_api_server() {
    let namespace = Namespace::alone("restart-up");
    let set = sets::built_in(&namespace, 500);
    let mut up = namespace.start(&["up", "-f", &set]);
    up.until(|event| event["event"] == "rollout");
    let _healing = restart();
    up.end().expect(0);
}

#[test]
fn rollout_status_survives_a_restart_of_the_api_server() {
    let namespace = Namespace::alone("restart-rollout");
    let set = sets::built_in(&namespace, 500);
    namespace
        .cryptoctl(&["up", "-f", &set, "--no-wait"])
        .expect(0);
    let mut status = namespace.start(&["rollout", "status", "-f", &set]);
    status.until(|event| event["event"] == "rollout");
    let _healing = restart();
    status.end().expect(0);
}

#[test]
fn chaos_survives_a_restart_of_the_api_server() {
    let namespace = Namespace::alone("restart-chaos");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let mut chaos = namespace.start(&["chaos", "-f", &set, "--path", "/keys", "--yes"]);
    chaos.until(|event| event["event"] == "write_finished");
    let _healing = restart();
    let report = chaos.end().expect(0).report();
    assert_eq!(report["data"]["preserved"], true);
}

/// Thaws the API server however the test ends.
struct Frozen;

impl Frozen {
    fn freeze() -> Self {
        sandbox(&["kill", "kube-apiserver", "--freeze"]);
        Self
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        sandbox(&["kill", "kube-apiserver", "--thaw"]);
    }
}

#[test]
fn a_frozen_api_server_is_named_and_the_work_resumes() {
    let namespace = Namespace::alone("freeze");
    let set = sets::built_in(&namespace, 500);
    let mut up = namespace.start(&["up", "-f", &set]);
    up.until(|event| event["event"] == "rollout");
    let frozen = Frozen::freeze();
    let silent = up.until(|event| event["event"] == "server_unresponsive");
    assert!(
        silent["reason"]
            .as_str()
            .unwrap()
            .contains("did not answer"),
        "{silent}"
    );
    drop(frozen);
    up.until(|event| event["event"] == "server_answers");
    up.end().expect(0);
}

#[test]
fn verify_never_says_no_because_the_api_server_died() {
    let namespace = Namespace::alone("restart-verify");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let mut verify = namespace.start(&["verify", "-f", &set, "--path", "/keys"]);
    verify.until(|event| event["event"] == "verifying");
    let _healing = restart();
    let ended = verify.end();
    assert!(
        matches!(ended.code, 0 | 5),
        "{}\n{}",
        ended.stdout,
        ended.stderr
    );
    namespace
        .cryptoctl(&["verify", "-f", &set, "--path", "/keys"])
        .expect(0);
}
