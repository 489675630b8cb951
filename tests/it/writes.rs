//! Writes, and the messages about them, as seen in the events and at the server.

use std::time::Duration;

use apiserver_model::{ApiServer, Disturbance, Fault, Rule};
use cryptoctl::cluster::{Cluster, TimeLimits};
use cryptoctl::emitter::Emitter;
use cryptoctl::event::{EventKind, WriteResult};
use cryptoctl::manifest::{self, Options, Source};
use cryptoctl::ops::{self, Context, OpsError, Set, UpOptions};
use cryptoctl::report::UpReport;
use http::Method;

const TEXT: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 1
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.org/web:1}]}
";

/// Runs `up` without waiting; also returns how each write ended.
async fn up(server: &ApiServer) -> (Result<UpReport, OpsError>, Vec<WriteResult>) {
    let source = Source::Embedded {
        name: "set.yaml",
        text: TEXT,
    };
    let set = Set {
        manifests: manifest::load(&[source], Options::default()).unwrap(),
        is_built_in: false,
        choices: cryptoctl::fields::FieldChoices::default(),
        replaced: Vec::new(),
        inventory: None,
        rolls: false,
    };
    let (emitter, mut events) = Emitter::new();
    let limits = TimeLimits {
        request: Duration::from_secs(5),
        patience: Duration::from_secs(10),
    };
    let cluster = Cluster::over(server.client(), "http://model", limits, emitter.clone());
    let context = Context::new(cluster, emitter, None, Duration::from_secs(3));
    let options = UpOptions {
        dry_run: false,
        wait: false,
        delete_data: false,
        accepted: Vec::new(),
        saved: None,
    };
    let plan = ops::plan_up(&context, &set, &options).await;
    let result = match plan {
        Ok(plan) => ops::up(&context, &set, options, plan).await,
        Err(error) => Err(error),
    };
    let mut seen = Vec::new();
    events.receive(&mut seen, 100).await;
    let ends = seen.into_iter().filter_map(|event| match event.kind {
        EventKind::WriteFinished { result, .. } => Some(result),
        _ => None,
    });
    (result, ends.collect())
}

#[tokio::test(start_paused = true)]
async fn a_write_cut_short_by_the_deadline_ends_unknown() {
    let server = ApiServer::seeded(1);
    server.fault(Rule::new(Fault::Hang).method(Method::PATCH).after(1));
    let (result, ends) = up(&server).await;
    assert!(
        matches!(result, Err(OpsError::OutOfTime { .. })),
        "{result:?}"
    );
    assert!(
        matches!(ends.as_slice(), [WriteResult::Unknown { .. }]),
        "{ends:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_does_not_speak_for_an_attempt_before_it() {
    let server = ApiServer::seeded(1);
    let scaled = Disturbance::Scale("default".to_owned(), "web".to_owned(), 2);
    server.fault(
        Rule::new(Fault::CutAfter)
            .method(Method::PATCH)
            .after(1)
            .times(1),
    );
    server.fault(
        Rule::new(Fault::Meanwhile(scaled))
            .method(Method::PATCH)
            .after(1)
            .times(1),
    );
    let (result, ends) = up(&server).await;
    assert!(matches!(result, Err(OpsError::Writes(_))), "{result:?}");
    assert!(
        matches!(ends.as_slice(), [WriteResult::Unknown { .. }]),
        "{ends:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_concurrent_change_of_another_client_is_not_ours() {
    let server = ApiServer::seeded(1);
    up(&server).await.0.unwrap();
    let edited = Disturbance::EditTemplate("default".to_owned(), "web".to_owned());
    server.fault(
        Rule::new(Fault::Meanwhile(edited))
            .method(Method::PATCH)
            .times(1),
    );
    let writes = server.writes().len();
    let (result, ends) = up(&server).await;
    result.unwrap();
    assert_eq!((server.writes().len(), ends), (writes, Vec::new()));
}
