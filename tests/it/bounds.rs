//! Outside data cannot exhaust the memory of a run. Each call here runs under a limit of twice the
//! promised memory (64 MiB on top of the input, threads and the allocator's reserves); if it needs
//! more, the operating system kills it and the test fails.

use apiserver_model::{ApiServer, Fault, PodScript, Pods, Rule};
use http::Method;

use crate::harness::{Cryptoctl, Output, built_in};

/// The memory limit of a call, in KiB.
const MEMORY: u64 = 128 * 1024;

fn bounded(call: Cryptoctl) -> Cryptoctl {
    call.memory(MEMORY)
}

fn endless(status: u16, beginning: &'static str, piece: &'static str) -> Fault {
    Fault::Endless {
        status,
        beginning,
        piece,
    }
}

/// This many numbered lines.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

/// Loads a text as manifests, without a cluster: it has to be refused before a connection.
async fn load(text: &[u8]) -> Output {
    let call = bounded(Cryptoctl::without_cluster());
    let path = call.home().join("set.yaml");
    std::fs::write(&path, text).unwrap();
    let output = call.args(["up", "-f"]).arg(path).run().await;
    assert!(output.stderr.len() < 64 * 1024, "{}", output.stderr.len());
    output
}

#[tokio::test]
async fn no_manifest_exhausts_the_memory() {
    let bomb = (0..20).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        let next = level + 1;
        format!("{text}a{next}: &a{next} [*a{level}, *a{level}]\n")
    });
    let keys = lines(1500, |key| format!("  k{key}: v\n"));
    let merges = format!("a: &a\n{keys}b:\n{}", "- <<: *a\n".repeat(3000));
    let anchors = lines(200_000, |n| format!("- &a{n} [{n}]\n"));
    let million = 1_000_000;
    let table: [(&str, Vec<u8>); 14] = [
        ("an alias bomb", bomb.into_bytes()),
        ("merges", merges.into_bytes()),
        ("anchors", anchors.into_bytes()),
        (
            "many numbers",
            format!("[{}0]", "0,".repeat(8 * million)).into_bytes(),
        ),
        (
            "many numbers in JSON",
            format!("{{\"a\":[{}0]}}", "0,".repeat(8 * million)).into_bytes(),
        ),
        (
            "many lists",
            format!("[{}0]", "[0],".repeat(4 * million)).into_bytes(),
        ),
        (
            "many mappings in JSON",
            format!("{{\"a\":[{}0]}}", "{\"a\":0},".repeat(2 * million)).into_bytes(),
        ),
        (
            "many documents",
            "a\n---\n".repeat(2 * million).into_bytes(),
        ),
        (
            "many objects without a name",
            "{}\n".repeat(4 * million).into_bytes(),
        ),
        (
            "the same key",
            format!("{{{}}}", "a: 1, ".repeat(million)).into_bytes(),
        ),
        (
            "many labels",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels:\n{}",
                lines(million, |n| format!("    k{n}: {n}\n"))
            )
            .into_bytes(),
        ),
        (
            "a long text",
            [b"a: ".as_slice(), &vec![b'x'; 39 * million]].concat(),
        ),
        (
            "a long text in JSON",
            [br#"{"a":"\n"#.as_slice(), &vec![b'x'; 39 * million], b"\"}"].concat(),
        ),
        (
            "nesting",
            format!("{}{}", "[".repeat(4 * million), "]".repeat(4 * million)).into_bytes(),
        ),
    ];
    for (what, text) in table {
        let output = load(&text).await;
        assert_eq!(output.code(), 2, "{what}: {}", output.stderr);
        assert!(
            !output.stderr.contains("kubeconfig"),
            "{what}: {}",
            output.stderr
        );
    }
}

#[tokio::test]
async fn thousands_of_ordinary_objects_are_accepted() {
    let objects = |number: usize| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{number}\n  namespace: shop\n  labels: {{app: web}}\nspec:\n  replicas: 2\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      containers:\n      - name: web\n        image: registry.example/web:1\n        ports: [{{name: http, containerPort: 80}}]\n        env:\n        - {{name: A, value: b}}\n        - {{name: B, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}\n        resources: {{requests: {{cpu: 10m, memory: 16Mi}}, limits: {{memory: 32Mi}}}}\n        readinessProbe: {{httpGet: {{path: /, port: http}}, periodSeconds: 5}}\n        volumeMounts: [{{name: data, mountPath: /data}}]\n      volumes: [{{name: data, emptyDir: {{}}}}]\n"
        )
    };
    let many = lines(2000, objects);
    let large = "x".repeat(900_000);
    let long = lines(40, |number| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{number}}}\ndata: {{a: \"{large}\"}}\n"
        )
    });
    for (what, text) in [("many", many), ("long", long)] {
        let output = load(text.as_bytes()).await;
        assert!(
            output.stderr.contains("kubeconfig"),
            "{what}: {}",
            output.stderr
        );
    }
}

#[tokio::test]
async fn no_answer_exhausts_the_memory() {
    let list = r#"{"kind":"APIResourceList","groupVersion":"v1","resources":["#;
    let table = [
        ("text", endless(200, "", "x")),
        ("an object", endless(200, "{\"kind\":\"", "x")),
        (
            "kinds",
            endless(200, list, r#"{"name":"a","kind":"b","verbs":[""]},"#),
        ),
        ("empty kinds", endless(200, list, "{},")),
        ("nesting", endless(200, list, "[")),
        (
            "a refusal",
            endless(500, r#"{"kind":"Status","message":""#, "x"),
        ),
        (
            "causes",
            endless(403, r#"{"kind":"Status","details":{"causes":["#, "{},"),
        ),
    ];
    let server = ApiServer::listen().await;
    for (what, fault) in table {
        server.heal();
        server.fault(Rule::new(fault));
        let call = bounded(Cryptoctl::new(&server)).args(["up", "--timeout", "20s"]);
        let output = call.run().await;
        assert!(matches!(output.code(), 1 | 5), "{what}: {output:?}");
        assert!(output.stderr.len() < 16 * 1024, "{what}: {}", output.stderr);
    }
}

#[tokio::test]
async fn no_list_and_no_watch_exhausts_the_memory() {
    let pods =
        r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":["#;
    let event = r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":""#;
    let table = [
        ("items", "", endless(200, pods, "{},")),
        (
            "volumes",
            "",
            endless(
                200,
                r#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{"spec":{"volumes":["#,
                "{},",
            ),
        ),
        ("an event", "watch=", endless(200, event, "x")),
        (
            "events",
            "watch=",
            endless(200, "", "{\"type\":\"BOOKMARK\",\"object\":{}}\n"),
        ),
    ];
    let server = built_in().await;
    // A complete rollout is read once; an incomplete one is watched.
    server.script(Pods::all(), PodScript::default().never_ready("no keys"));
    server.kill_container("logaiter", "cryptoserver-1", 1);
    for (what, query, fault) in table {
        server.heal();
        server.fault(
            Rule::new(fault)
                .method(Method::GET)
                .path("/pods")
                .query(query),
        );
        let call = bounded(Cryptoctl::new(&server)).args(["rollout", "status", "--timeout", "10s"]);
        let output = call.run().await;
        assert!(matches!(output.code(), 1 | 4 | 5), "{what}: {output:?}");
    }
}

#[tokio::test]
async fn no_log_exhausts_the_memory() {
    let server = built_in().await;
    server.fault(Rule::new(endless(200, "", "x")).path("cryptoserver-0/log"));
    let call = bounded(Cryptoctl::new(&server)).args(["logs", "--timeout", "5s"]);
    let output = call.run().await.expect_code(5);
    assert!(!output.stdout.is_empty());
}

#[tokio::test]
async fn no_file_exhausts_the_memory() {
    let table: [(&[&str], &str); 8] = [
        (&["up", "-f", "/dev/zero"], "/dev/zero"),
        (&["up", "--kubeconfig", "/dev/zero"], "/dev/zero"),
        (&["verify", "--config", "/dev/zero"], "/dev/zero"),
        (&["verify", "--baseline", "/dev/zero"], "/dev/zero"),
        (&["report", "/dev/zero"], "/dev/zero"),
        (&["chaos", "-y", "--compare", "/dev/zero"], "/dev/zero"),
        (
            &["up", "--certificate-authority", "/dev/zero"],
            "certificate authority",
        ),
        (
            &[
                "up",
                "--server",
                "https://127.0.0.1:1",
                "--client-certificate",
                "/dev/zero",
                "--client-key",
                "/dev/zero",
            ],
            "client certificate",
        ),
    ];
    let server = ApiServer::listen().await;
    for (arguments, words) in table {
        let output = bounded(Cryptoctl::new(&server)).args(arguments).run().await;
        assert_eq!(output.code(), 2, "{arguments:?}: {output:?}");
        assert!(
            output.stderr.contains(words),
            "{arguments:?}: {}",
            output.stderr
        );
    }
    assert_eq!(server.requests().len(), 0);
}
