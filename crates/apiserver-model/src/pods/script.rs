//! How pods behave: given by the test, per workload, replica, image or incarnation.

use std::time::Duration;

use serde_json::Value;

use crate::object;

/// Some pods.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Pods {
    workload: Option<String>,
    ordinal: Option<u64>,
    image: Option<String>,
}

impl Pods {
    /// All pods.
    pub fn all() -> Self {
        Self::default()
    }

    /// The pods of a workload: the ones whose names start with its name and a dash.
    pub fn of(workload: &str) -> Self {
        Self {
            workload: Some(workload.to_owned()),
            ..Self::default()
        }
    }

    /// Only the replica with this ordinal.
    pub fn ordinal(mut self, ordinal: u64) -> Self {
        self.ordinal = Some(ordinal);
        self
    }

    /// Only pods with a container of this image.
    pub fn image(mut self, image: &str) -> Self {
        self.image = Some(image.to_owned());
        self
    }

    /// Whether a pod is one of them.
    pub(crate) fn include(&self, pod: &Value) -> bool {
        let name = object::name(pod);
        let (workload, suffix) = name.rsplit_once('-').unwrap_or((name, ""));
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.workload, workload)
            && self
                .ordinal
                .is_none_or(|ordinal| suffix.parse() == Ok(ordinal))
            && self.image.as_deref().is_none_or(|image| {
                let mut containers = object::items(pod, "/spec/containers")
                    .chain(object::items(pod, "/spec/initContainers"));
                containers.any(|container| container["image"] == image)
            })
    }
}

/// A main container that ends by itself.
#[derive(Debug, Clone)]
pub(crate) struct Crash {
    /// How long it runs.
    pub(crate) after: Duration,
    /// Its exit code.
    pub(crate) code: i32,
    /// What it prints before.
    pub(crate) log: String,
    /// It crashes this often, then it stays.
    pub(crate) times: u32,
}

/// How a pod behaves. The delays follow one another.
#[derive(Debug, Clone)]
#[must_use]
pub struct PodScript {
    /// Until it has a node.
    pub(crate) schedule: Duration,
    /// Why it gets none.
    pub(crate) unschedulable: Option<String>,
    /// Until the sandbox is there; never longer than until the container is created.
    pub(crate) sandbox: Duration,
    /// Until the image is there and the container created.
    pub(crate) start: Duration,
    /// Why the image cannot be pulled.
    pub(crate) pull_error: Option<String>,
    /// From `ErrImagePull` to `ImagePullBackOff`.
    pub(crate) pull_back_off: Duration,
    /// How long each init container runs.
    pub(crate) init: Duration,
    /// From running to ready.
    pub(crate) ready: Duration,
    /// Why it never becomes ready.
    pub(crate) unready: Option<String>,
    /// How it ends by itself.
    pub(crate) crash: Option<Crash>,
    /// How long a crash shows as `terminated`.
    pub(crate) crash_shown: Duration,
    /// The first `CrashLoopBackOff`, after the second crash; it doubles up to five minutes.
    pub(crate) back_off: Duration,
    /// From SIGTERM to its end; the grace period cuts it short.
    pub(crate) stop: Duration,
    /// From its end until a pod that is being deleted is gone: the kubelet takes its sandbox and its volumes down.
    pub(crate) teardown: Duration,
    /// Process 1 does nothing at SIGTERM.
    pub(crate) ignores_sigterm: bool,
    /// Programs that the image does not have.
    pub(crate) lacks: Vec<String>,
    /// Its successor of the same name is another object for what runs on all the time.
    pub(crate) mirrored: bool,
    /// What the container prints at its start.
    pub(crate) log: String,
}

impl Default for PodScript {
    fn default() -> Self {
        Self {
            schedule: Duration::from_millis(2),
            unschedulable: None,
            sandbox: Duration::from_millis(5),
            start: Duration::from_millis(10),
            pull_error: None,
            pull_back_off: Duration::from_millis(50),
            init: Duration::from_millis(5),
            ready: Duration::from_millis(10),
            unready: None,
            crash: None,
            crash_shown: Duration::from_millis(10),
            back_off: Duration::from_secs(10),
            stop: Duration::from_millis(10),
            teardown: Duration::ZERO,
            ignores_sigterm: false,
            lacks: Vec::new(),
            mirrored: false,
            log: "Starting API Host.\n".to_owned(),
        }
    }
}

impl PodScript {
    /// Becomes ready this long after it runs.
    pub fn ready_after(mut self, delay: Duration) -> Self {
        self.ready = delay;
        self
    }

    /// Runs this long after it has a node.
    pub fn start_after(mut self, delay: Duration) -> Self {
        self.start = delay;
        self
    }

    /// Has its sandbox this long after it has a node, if its container does not run before.
    pub fn sandbox_after(mut self, delay: Duration) -> Self {
        self.sandbox = delay;
        self
    }

    /// Ends this long after SIGTERM.
    pub fn stop_after(mut self, delay: Duration) -> Self {
        self.stop = delay;
        self
    }

    /// Is gone this long after its container, when it is deleted.
    pub fn gone_after(mut self, delay: Duration) -> Self {
        self.teardown = delay;
        self
    }

    /// Process 1 does nothing at SIGTERM: a command cannot end it, and a deletion takes the whole grace period.
    pub fn ignores_sigterm(mut self) -> Self {
        self.ignores_sigterm = true;
        self
    }

    /// A pod of the same name has a new UID, but the containers and times of the one before: nothing was ever restarted, as
    /// with the mirror of a static pod.
    pub fn mirrored(mut self) -> Self {
        self.mirrored = true;
        self
    }

    /// Its image has no such programs; what the shell has built in works as long as there is a shell.
    pub fn lacks(mut self, programs: &[&str]) -> Self {
        self.lacks = programs.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Its image cannot be pulled.
    pub fn pull_fails(mut self, message: &str) -> Self {
        self.pull_error = Some(message.to_owned());
        self
    }

    /// It fits on no node.
    pub fn unschedulable(mut self, message: &str) -> Self {
        self.unschedulable = Some(message.to_owned());
        self
    }

    /// Its readiness probe fails for ever.
    pub fn never_ready(mut self, message: &str) -> Self {
        self.unready = Some(message.to_owned());
        self
    }

    /// It crashes again and again.
    pub fn crashes(mut self, after: Duration, code: i32, log: &str) -> Self {
        self.crash = Some(Crash {
            after,
            code,
            log: log.to_owned(),
            times: u32::MAX,
        });
        self
    }

    /// It crashes this often, then it stays.
    pub fn crashes_times(mut self, times: u32) -> Self {
        if let Some(crash) = &mut self.crash {
            crash.times = times;
        }
        self
    }

    /// A crash shows as `terminated` this long.
    pub fn crash_shows_for(mut self, delay: Duration) -> Self {
        self.crash_shown = delay;
        self
    }

    /// The first delay after a crash.
    pub fn back_off(mut self, delay: Duration) -> Self {
        self.back_off = delay;
        self
    }

    /// The delay before the next restart (kubernetes, pkg/kubelet/kubelet.go, `MaxContainerBackOff`).
    pub(crate) fn back_off_after(&self, restarts: u32) -> Duration {
        let doubled = self
            .back_off
            .saturating_mul(1 << restarts.saturating_sub(1).min(20));
        doubled.min(Duration::from_mins(5))
    }

    /// What it prints at its start.
    pub fn prints(mut self, log: &str) -> Self {
        log.clone_into(&mut self.log);
        self
    }
}
