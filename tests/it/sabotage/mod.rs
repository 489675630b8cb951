//! Lies that a weaker tool would believe: the real program against workloads that are broken on
//! purpose. Each one must get exactly the right verdict, the right exit code and the right words.

mod chaos;
mod containers;
mod strangers;
mod verify;

use std::path::Path;
use std::time::Duration;

use apiserver_model::{ApiServer, PodScript, Pods, Reply};
use serde_json::{Value, json};

use crate::harness::{Cryptoctl, KEYS, Output, Process};

/// Just as plausible, and something else.
const OTHER: &str = "1\n22\n333\n4444\n6\n";
/// What has not happened by then will not happen any more.
const LONGEST: Duration = Duration::from_mins(3);
const NAMESPACE: &str = "logaiter";
const SET: &str = "cryptoserver";

const SUCCESS: i32 = 0;
const USAGE: i32 = 2;
const UNHEALTHY: i32 = 4;
const UNDECIDED: i32 = 5;
const HUNG_UP: i32 = 129;
const INTERRUPTED: i32 = 130;

/// All replicas.
fn everyone() -> Pods {
    Pods::of(SET)
}

/// One replica.
fn replica(ordinal: u64) -> Pods {
    everyone().ordinal(ordinal)
}

/// The built-in set, up and Ready, with whatever a test does to it.
struct Scene {
    server: ApiServer,
}

impl Scene {
    /// Two replicas that serve the same keys.
    async fn new() -> Self {
        Self::prepared(|_| {}).await
    }

    /// The same on two nodes.
    async fn of_two_nodes() -> Self {
        Self::prepared(|server| server.add_node("node-2")).await
    }

    /// The same, whose first replica runs a while before it is Ready, from the beginning.
    async fn of_a_late_one() -> Self {
        let late = PodScript::default().ready_after(Duration::from_secs(2));
        Self::prepared(|server| server.script(replica(0), late)).await
    }

    async fn prepared(prepare: impl FnOnce(&ApiServer)) -> Self {
        let server = ApiServer::listen().await;
        prepare(&server);
        server.serve(everyone(), "/keys", Reply::ok(KEYS));
        Cryptoctl::new(&server)
            .args(["up"])
            .run()
            .await
            .expect_code(SUCCESS);
        server.forget_requests();
        Self { server }
    }

    /// From now on these pods answer like this.
    fn answer(self, pods: Pods, reply: Reply) -> Self {
        self.server.serve(pods, "/keys", reply);
        self
    }

    /// From now on these pods live like this.
    fn live(self, pods: Pods, script: PodScript) -> Self {
        self.server.script(pods, script);
        self
    }

    /// A pod as it is now.
    fn pod(&self, name: &str) -> Value {
        let found = self.server.object("", "pods", NAMESPACE, name);
        found.unwrap_or_default()
    }

    /// The StatefulSet as it is now.
    fn set(&self) -> Value {
        let found = self.server.object("apps", "statefulsets", NAMESPACE, SET);
        found.unwrap_or_default()
    }

    /// Waits until something holds, which it has to.
    async fn until(&self, holds: impl FnMut(&ApiServer) -> bool) {
        let waiting = self.server.until(holds);
        tokio::time::timeout(LONGEST, waiting).await.unwrap();
    }

    fn call(&self, arguments: &[&str]) -> Cryptoctl {
        Cryptoctl::new(&self.server).args(arguments)
    }

    /// Runs a command for programs.
    async fn told(&self, arguments: &[&str]) -> Told {
        let call = self.call(&["-o", "json"]).args(arguments);
        Told(call.run().await)
    }

    /// The same, in a folder with a configuration file.
    async fn told_in(&self, folder: &Path, arguments: &[&str]) -> Told {
        let call = self.call(&["-o", "json"]).args(arguments);
        Told(call.current_dir(folder).run().await)
    }

    /// Starts a command for programs.
    async fn start(&self, arguments: &[&str]) -> Process {
        self.call(&["-o", "json"]).args(arguments).start().await
    }

    /// What a person reads of the same command.
    async fn words(&self, arguments: &[&str]) -> String {
        let output = self.call(arguments).run().await;
        format!("{}{}", output.stdout, output.stderr)
    }
}

/// What the program said.
#[derive(Debug)]
struct Told(Output);

impl Told {
    /// The last line's report.
    fn report(&self) -> Value {
        let lines = self.0.json_lines();
        lines
            .last()
            .map_or(Value::Null, |last| last["report"].clone())
    }

    /// The exit code and the verdict.
    #[track_caller]
    fn is(self, code: i32, verdict: &str) -> Self {
        let report = self.report();
        assert_eq!(
            (self.0.code(), &report["verdict"]),
            (code, &json!(verdict)),
            "{}\n{}",
            self.sentences().join("\n"),
            self.0.stderr
        );
        self
    }

    /// Every sentence of the verdict.
    fn sentences(&self) -> Vec<String> {
        let report = self.report();
        let reasons = report["reasons"].as_array().into_iter().flatten().cloned();
        let findings = report["findings"].as_array().into_iter().flatten();
        let messages = findings.map(|finding| finding["message"].clone());
        let all = std::iter::once(report["summary"].clone())
            .chain(reasons)
            .chain(messages);
        all.filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    }

    /// One of the sentences contains these words.
    #[track_caller]
    fn saying(self, words: &str) -> Self {
        let sentences = self.sentences();
        assert!(
            sentences.iter().any(|text| text.contains(words)),
            "{words:?} in none of {sentences:#?}\n{}",
            self.0.stderr
        );
        self
    }

    /// None of the sentences contains these words.
    #[track_caller]
    fn not_saying(self, words: &str) -> Self {
        let sentences = self.sentences();
        assert!(
            !sentences.iter().any(|text| text.contains(words)),
            "{words:?} in {sentences:#?}"
        );
        self
    }

    /// What came back was not known to be right for a while, and was probed all the same.
    #[track_caller]
    fn probed_all_along(self) -> Self {
        let report = self.report();
        let gap = report["prober"]["largest_gap_ms"].as_u64().unwrap();
        let replicas = report["availability"]["replicas"].as_array().unwrap();
        let unknown = replicas.iter().filter_map(|it| it["unknown_ms"].as_u64());
        let unknown = unknown.max().unwrap();
        assert!(gap < unknown, "a gap of {gap} ms in {unknown} ms");
        self
    }

    /// A part of the report.
    #[track_caller]
    fn with(self, pointer: &str, expected: &Value) -> Self {
        let report = self.report();
        let found = report.pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(found, expected, "{pointer} of {report:#}");
        self
    }
}
