//! The life of one pod, as a state machine over time.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::script::PodScript;
use super::stage::{Exit, Next, Stage};
use crate::clock::Moment;
use crate::object;
use crate::random::Random;

/// A process that a signal ended has the code of 128 and the signal.
const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

/// What a pod's successor goes on with when it only seems to be another one.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    sandbox_id: String,
    pub(crate) container_id: String,
    start_time: String,
    started_at: String,
    restarts: u32,
    log: String,
}

/// What a pod does now.
#[derive(Debug, Clone)]
pub(crate) struct Runtime {
    pub(crate) stage: Stage,
    since: Instant,
    pub(crate) sandbox_id: String,
    /// The sandbox is there: the pod has its network, and containers can be started.
    pub(crate) has_sandbox: bool,
    pub(crate) container_id: String,
    pub(crate) start_time: String,
    pub(crate) started_at: String,
    pub(crate) restarts: u32,
    /// Restarts of the containers beside the one that serves, and when they started anew.
    pub(crate) aside: u32,
    pub(crate) aside_at: String,
    pub(crate) ready: bool,
    pub(crate) last_exit: Option<Exit>,
    pub(crate) log: String,
    pub(crate) previous_log: Option<String>,
    /// The pod's resourceVersion when its status was written last.
    pub(crate) written: Option<String>,
    /// SIGTERM was sent then.
    pub(crate) stopping: Option<Instant>,
    /// SIGTERM came from within the container then; the pod stays.
    terminated: Option<Instant>,
    /// The container of a pod that is being deleted was gone then.
    finished: Option<Instant>,
    /// The pod is new, but this is what runs in it.
    process: Option<Process>,
}

impl Runtime {
    /// A pod that was just created.
    pub(crate) fn new(now: Moment, random: &mut Random) -> Self {
        Self {
            stage: Stage::Unscheduled,
            since: now.instant,
            sandbox_id: random.container_id(),
            has_sandbox: false,
            container_id: String::new(),
            start_time: String::new(),
            started_at: String::new(),
            restarts: 0,
            aside: 0,
            aside_at: String::new(),
            ready: false,
            last_exit: None,
            log: String::new(),
            previous_log: None,
            written: None,
            stopping: None,
            terminated: None,
            finished: None,
            process: None,
        }
    }

    /// A new pod whose containers are those of the one before.
    pub(crate) fn resumed(process: Process, now: Moment, random: &mut Random) -> Self {
        Self {
            sandbox_id: process.sandbox_id.clone(),
            process: Some(process),
            ..Self::new(now, random)
        }
    }

    /// What runs now.
    pub(super) fn process(&self) -> Process {
        Process {
            sandbox_id: self.sandbox_id.clone(),
            container_id: self.container_id.clone(),
            start_time: self.start_time.clone(),
            started_at: self.started_at.clone(),
            restarts: self.restarts,
            log: self.log.clone(),
        }
    }

    /// Takes the next step that is due. The scheduler's verdict comes from outside.
    pub(crate) fn step(
        &mut self,
        pod: &Value,
        script: &PodScript,
        now: Moment,
        random: &mut Random,
    ) -> Next {
        let init_containers = object::items(pod, "/spec/initContainers").count();
        match self.stage {
            Stage::Unscheduled | Stage::Ended => Next::Never,
            Stage::Creating | Stage::PullFailed | Stage::PullBackOff => {
                self.create(script, init_containers, now, random)
            }
            Stage::Initializing(index) => {
                self.initialize(index, init_containers, script, now, random)
            }
            Stage::Running => self.run(pod, script, now),
            Stage::Crashed => self.after(script.crash_shown, now, |runtime| {
                // The first restart comes at once.
                if runtime.restarts == 0 {
                    runtime.restart(script, now, random);
                } else {
                    runtime.enter(Stage::CrashBackOff, now);
                }
            }),
            Stage::CrashBackOff => {
                let delay = script.back_off_after(self.restarts);
                self.after(delay, now, |runtime| runtime.restart(script, now, random))
            }
        }
    }

    /// The scheduler found a node.
    pub(crate) fn bind(&mut self, now: Moment) {
        self.start_time = match &self.process {
            Some(process) => process.start_time.clone(),
            None => now.text(),
        };
        self.enter(Stage::Creating, now);
    }

    /// The moment when the scheduler looks at it.
    pub(crate) fn schedule_at(&self, script: &PodScript) -> Instant {
        self.since + script.schedule
    }

    /// When the container is gone after SIGTERM.
    pub(crate) fn gone_at(&self, script: &PodScript, grace: Duration) -> Option<Instant> {
        let stop = if self.stage == Stage::Running && script.ignores_sigterm {
            grace
        } else if self.stage == Stage::Running {
            script.stop
        } else {
            Duration::ZERO
        };
        let gone = self.stopping.map(|since| since + stop.min(grace));
        self.finished.or(gone)
    }

    /// The container is gone, and then the sandbox; returns whether there was one to tell of, and when the pod can go.
    pub(crate) fn finish(
        &mut self,
        script: &PodScript,
        grace: Duration,
        now: Moment,
    ) -> (bool, Instant) {
        let was_running = self.stage == Stage::Running && !script.mirrored;
        if was_running {
            let was_killed = script.ignores_sigterm || script.stop > grace;
            let signal = if was_killed { SIGKILL } else { SIGTERM };
            self.exit(128 + signal, now);
            if let Some(exit) = &mut self.last_exit {
                exit.reason = "Error";
            }
            self.has_sandbox = false;
            self.enter(Stage::Ended, now);
        }
        let finished = *self.finished.get_or_insert(now.instant);
        let has_ended = self.stage == Stage::Ended;
        let teardown = if has_ended {
            script.teardown
        } else {
            Duration::ZERO
        };
        (was_running, finished + teardown)
    }

    /// Kills the main container, as an OOM or a `kill` inside of it would.
    pub(crate) fn kill(&mut self, code: i32, now: Moment) {
        if self.stage == Stage::Running {
            self.exit(code, now);
            self.enter(Stage::Crashed, now);
        }
    }

    /// Sends SIGTERM to the main container, as a `kill` inside of it does.
    pub(crate) fn terminate(&mut self, now: Moment) {
        if self.stage == Stage::Running {
            self.terminated.get_or_insert(now.instant);
        }
    }

    /// A container beside the one that serves ends and starts anew.
    pub(crate) fn restart_aside(&mut self, now: Moment) {
        self.aside += 1;
        self.aside_at = now.text();
        self.written = None;
    }

    fn create(
        &mut self,
        script: &PodScript,
        init_containers: usize,
        now: Moment,
        random: &mut Random,
    ) -> Next {
        if !self.has_sandbox {
            let due = self.since + script.sandbox.min(script.start);
            self.has_sandbox = now.instant >= due;
            return if self.has_sandbox {
                Next::Again
            } else {
                Next::At(due)
            };
        }
        match (self.stage, &script.pull_error) {
            (Stage::Creating, Some(_)) => self.after(script.start, now, |runtime| {
                runtime.enter(Stage::PullFailed, now);
            }),
            (Stage::PullFailed, Some(_)) => self.after(script.pull_back_off, now, |runtime| {
                runtime.enter(Stage::PullBackOff, now);
            }),
            (_, Some(_)) => Next::Never,
            (_, None) => self.after(script.start, now, |runtime| {
                if init_containers > 0 {
                    runtime.enter(Stage::Initializing(0), now);
                } else {
                    runtime.start(script, now, random);
                }
            }),
        }
    }

    fn initialize(
        &mut self,
        index: usize,
        count: usize,
        script: &PodScript,
        now: Moment,
        random: &mut Random,
    ) -> Next {
        self.after(script.init, now, |runtime| {
            if index + 1 < count {
                runtime.enter(Stage::Initializing(index + 1), now);
            } else {
                runtime.start(script, now, random);
            }
        })
    }

    fn run(&mut self, pod: &Value, script: &PodScript, now: Moment) -> Next {
        let crash = script
            .crash
            .as_ref()
            .filter(|crash| self.restarts < crash.times && self.stopping.is_none());
        if let Some(crash) = crash
            && now.instant >= self.since + crash.after
        {
            self.log.push_str(&crash.log);
            self.end(pod, crash.code, now);
            return Next::Again;
        }
        let terminated_at = self.terminated.map(|since| since + script.stop);
        if terminated_at.is_some_and(|due| now.instant >= due) {
            self.end(pod, 128 + SIGTERM, now);
            return Next::Again;
        }
        let ready_at = self.since + script.ready;
        let ready = script.unready.is_none() && now.instant >= ready_at;
        if ready != self.ready {
            self.ready = ready;
            return Next::Again;
        }
        let ready_at = (script.unready.is_none() && !ready).then_some(ready_at);
        let crash_at = crash.map(|crash| self.since + crash.after);
        ready_at
            .into_iter()
            .chain(crash_at)
            .chain(terminated_at)
            .min()
            .map_or(Next::Never, Next::At)
    }

    fn restart(&mut self, script: &PodScript, now: Moment, random: &mut Random) {
        self.restarts += 1;
        self.start(script, now, random);
    }

    fn start(&mut self, script: &PodScript, now: Moment, random: &mut Random) {
        if let Some(process) = self.process.take() {
            self.container_id = process.container_id;
            self.started_at = process.started_at;
            self.restarts = process.restarts;
            self.log = process.log;
            return self.enter(Stage::Running, now);
        }
        self.container_id = random.container_id();
        self.started_at = now.text();
        if !self.log.is_empty() {
            self.previous_log = Some(std::mem::take(&mut self.log));
        }
        self.log.clone_from(&script.log);
        self.enter(Stage::Running, now);
    }

    /// The main container ended by itself: it is restarted, unless the pod says otherwise.
    fn end(&mut self, pod: &Value, code: i32, now: Moment) {
        self.exit(code, now);
        let policy = object::text(pod, "/spec/restartPolicy");
        let stays_ended = policy == "Never" || policy == "OnFailure" && code == 0;
        let stage = if stays_ended {
            Stage::Ended
        } else {
            Stage::Crashed
        };
        self.enter(stage, now);
    }

    fn exit(&mut self, code: i32, now: Moment) {
        self.ready = false;
        self.terminated = None;
        self.last_exit = Some(Exit {
            code,
            reason: match code {
                0 => "Completed",
                137 => "OOMKilled",
                _ => "Error",
            },
            container_id: self.container_id.clone(),
            started_at: self.started_at.clone(),
            finished_at: now.text(),
        });
    }

    fn enter(&mut self, stage: Stage, now: Moment) {
        self.stage = stage;
        self.since = now.instant;
    }

    fn after(&mut self, delay: Duration, now: Moment, action: impl FnOnce(&mut Self)) -> Next {
        let due = self.since + delay;
        if now.instant < due {
            return Next::At(due);
        }
        action(self);
        Next::Again
    }
}
