//! What is said of writes, seen in the events.

use std::time::Duration;

use cryptoctl::cluster::{Cluster, TimeLimits};
use cryptoctl::event::{Emitter, EventKind, WriteResult};
use cryptoctl::manifest::{self, Options, Source};
use cryptoctl::ops::{self, Context, OpsError, Set, UpOptions};
use http::Method;

use crate::apiserver::{ApiServer, Fault, Rule};

#[tokio::test(start_paused = true)]
async fn a_write_that_the_deadline_cuts_short_ends_unknown() {
    let server = ApiServer::seeded(1);
    server.fault(Rule::new(Fault::Hang).method(Method::PATCH).after(1));
    let text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {b: c}}";
    let source = Source::Embedded {
        name: "set.yaml",
        text,
    };
    let set = Set {
        manifests: manifest::load(&[source], Options::default()).unwrap(),
        is_built_in: false,
    };
    let (emitter, mut events) = Emitter::new();
    let limits = TimeLimits {
        request: Duration::from_mins(1),
        patience: Duration::from_mins(1),
    };
    let cluster = Cluster::over(server.client(), "http://model", limits, emitter.clone());
    let context = Context::new(cluster, emitter, None, Duration::from_secs(3));
    let options = UpOptions {
        dry_run: false,
        wait: true,
        delete_data: false,
    };
    let result = ops::up(&context, &set, options).await;
    assert!(
        matches!(result, Err(OpsError::OutOfTime { .. })),
        "{result:?}"
    );
    let mut seen = Vec::new();
    events.receive(&mut seen, 100).await;
    assert!(
        matches!(
            seen.last().map(|event| &event.kind),
            Some(EventKind::WriteFinished {
                result: WriteResult::Unknown { .. },
                ..
            })
        ),
        "{seen:?}"
    );
}
