use bytes::Bytes;

use super::*;

mod comparing;
mod weighing;

fn endpoint() -> Endpoint {
    at("/keys")
}

fn at(path: &str) -> Endpoint {
    Endpoint {
        port: 80,
        path: path.to_owned(),
    }
}

fn digest(body: &str) -> String {
    hexadecimal(&Sha256::digest(body))
}

fn answer_at(path: &str, ordinal: i32, body: &str) -> ReplicaAnswer {
    ReplicaAnswer {
        pod: format!("web-{ordinal}"),
        ordinal,
        uid: Some(format!("uid-{ordinal}")),
        node: None,
        endpoint: at(path),
        status: Some(200),
        sha256: Some(digest(body)),
        compared_sha256: None,
        bytes: Some(body.len() as u64),
        content_type: None,
        content_encoding: None,
        latency_ms: Some(1),
        transport: Transport::PortForward,
        repeats: 0,
        error: None,
    }
}

fn answer(ordinal: i32, body: &str) -> ReplicaAnswer {
    answer_at("/keys", ordinal, body)
}

fn wrong(ordinal: i32, problem: Problem) -> ReplicaAnswer {
    ReplicaAnswer {
        error: Some(problem),
        ..answer(ordinal, "a")
    }
}

fn web() -> ObjectRef {
    ObjectRef::new("apps", "StatefulSet", Some("logaiter"), "web")
}

fn report(replicas: Vec<ReplicaAnswer>) -> VerifyReport {
    VerifyReport::new(web(), vec![endpoint()], replicas, Vec::new())
}

/// The contents of these bodies, all answered at `/keys`.
fn contents(bodies: &[&str]) -> Contents {
    let mut contents = Contents::default();
    for body in bodies {
        let beginning = Bytes::copy_from_slice(body.as_bytes());
        contents.keep(&endpoint(), &digest(body), body.len() as u64, &beginning);
    }
    contents
}

fn evidence(contents: &Contents, replicas: Vec<ReplicaAnswer>) -> Evidence<'_> {
    Evidence {
        object: web(),
        endpoints: vec![endpoint()],
        may_differ: Vec::new(),
        replicas,
        findings: Vec::new(),
        notes: Vec::new(),
        contents,
        shows_content: false,
        baseline: None,
    }
}

/// The report on replicas that gave these bodies, which were kept.
fn of_bodies(bodies: &[&str]) -> VerifyReport {
    let replicas = (0..)
        .zip(bodies)
        .map(|(ordinal, body)| answer(ordinal, body));
    let contents = contents(bodies);
    VerifyReport::weigh(evidence(&contents, replicas.collect()))
}
