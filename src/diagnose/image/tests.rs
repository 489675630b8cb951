use serde_json::json;

use super::super::tests::{pod as pod_of, snapshot, waiting};
use super::super::workload;
use super::*;

/// What kubelets report of pulls, from containerd 1.6 to 2.1, CRI-O, and Docker.
const TABLE: [(&str, Pull); 27] = [
    (
        "rpc error: code = NotFound desc = failed to pull and unpack image \"quay.io/team/app:v9\": failed to resolve reference \"quay.io/team/app:v9\": quay.io/team/app:v9: not found",
        Pull::NotFound,
    ),
    (
        "failed to pull and unpack image \"docker.io/library/app:v9\": failed to resolve image: docker.io/library/app:v9: not found",
        Pull::NotFound,
    ),
    (
        "failed to pull and unpack image \"docker.io/library/app:v9\": no match for platform in manifest: not found",
        Pull::NotFound,
    ),
    (
        "rpc error: code = Unknown desc = reading manifest v9 in quay.io/team/app: manifest unknown",
        Pull::NotFound,
    ),
    (
        "rpc error: code = Unknown desc = Error response from daemon: manifest for app:v9 not found: manifest unknown: manifest unknown",
        Pull::NotFound,
    ),
    (
        "rpc error: code = Unknown desc = failed to resolve reference \"docker.io/library/app:latest\": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
        Pull::Denied,
    ),
    (
        "failed to resolve reference \"ghcr.io/team/app:1\": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=x: 401 Unauthorized",
        Pull::Denied,
    ),
    (
        "failed to resolve reference \"ghcr.io/team/app:1\": unexpected status from HEAD request to https://ghcr.io/v2/team/app/manifests/1: 403 Forbidden",
        Pull::Denied,
    ),
    (
        "rpc error: code = Unknown desc = unable to retrieve auth token: invalid username/password: unauthorized: authentication required",
        Pull::Denied,
    ),
    (
        "failed to resolve reference \"registry.example/app:1\": failed to do request: Head \"https://registry.example/v2/app/manifests/1\": dial tcp: lookup registry.example on 10.96.0.10:53: no such host",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"registry.example/app:1\": failed to do request: Head \"https://registry.example/v2/app/manifests/1\": dial tcp 10.0.0.9:443: i/o timeout",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"registry.example/app:1\": failed to do request: Head \"https://registry.example/v2/app/manifests/1\": dial tcp 10.0.0.9:443: connect: connection refused",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"registry.example/app:1\": failed to do request: Head \"https://registry.example/v2/app/manifests/1\": Forbidden",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"registry.example/app:1\": failed to authorize: failed to fetch anonymous token: Get \"https://registry.example/token\": dial tcp: lookup registry.example: server misbehaving",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"docker.io/library/app:1\": unexpected status from HEAD request to https://registry-1.docker.io/v2/library/app/manifests/1: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"quay.io/team/app:1\": unexpected status from HEAD request to https://quay.io/v2/team/app/manifests/1: 502 Bad Gateway",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"quay.io/team/app:1\": unexpected status code [manifests 1]: 522 <none>",
        Pull::Unreachable,
    ),
    (
        "initializing source docker://registry.example/app:1: pinging container registry registry.example: Get \"https://registry.example/v2/\": dial tcp: lookup registry.example: host not found",
        Pull::Unreachable,
    ),
    (
        "failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://cdn.example/blob\": EOF",
        Pull::Unreachable,
    ),
    (
        "failed to resolve reference \"registry.example/app:1\": failed to do request: Head \"https://registry.example/v2/app/manifests/1\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
        Pull::Unreachable,
    ),
    ("pull QPS exceeded", Pull::Unreachable),
    // The layers, not the image.
    (
        "failed to pull and unpack image \"registry.example/app:1\": failed to copy: httpReadSeeker: failed open: content at https://registry.example/v2/app/blobs/sha256:11 not found: not found",
        Pull::Other,
    ),
    (
        "failed to pull and unpack image \"registry.example/app:1\": failed to extract layer sha256:11: mkdir /var/lib/containerd/x: permission denied",
        Pull::Other,
    ),
    (
        "failed to pull and unpack image \"registry.example/app:1\": write /var/lib/containerd/x: no space left on device",
        Pull::Other,
    ),
    // Names that sound like answers.
    (
        "failed to resolve reference \"unauthorized.example/denied:not-found\": unauthorized.example/denied:not-found: not found",
        Pull::NotFound,
    ),
    (
        "failed to pull and unpack image \"unauthorized.example/denied:503\": failed to extract layer sha256:11: unexpected end",
        Pull::Other,
    ),
    (
        "couldn't parse image name: invalid reference format",
        Pull::InvalidName,
    ),
];

#[test]
fn an_answer_of_the_registry_is_told_from_no_answer() {
    for (words, expected) in TABLE {
        assert_eq!(Pull::of("ErrImagePull", words), Some(expected), "{words}");
        let backed_off = format!("Back-off pulling image \"x/app:1\": ErrImagePull: {words}");
        assert_eq!(
            Pull::of("ImagePullBackOff", &backed_off),
            Some(expected),
            "{words}"
        );
    }
    assert_eq!(Pull::of("ContainerCreating", "not found"), None);
}

#[test]
fn an_unreachable_registry_has_until_the_second_failed_try() {
    let away = "failed to do request: Head \"https://r.example/v2/\": dial tcp: i/o timeout";
    let failed = |count: i32, image: &str, container: &str| {
        json!({"metadata": {}, "reason": "Failed", "count": count,
            "message": format!("Failed to pull image \"{image}\": {away}"),
            "involvedObject": {"uid": "p", "fieldPath": format!("spec.containers{{{container}}}")}})
    };
    let of = |events| {
        let pod = pod_of("web-b", &waiting("ErrImagePull", away));
        let found = workload(&snapshot(pod, Vec::new(), events)).unwrap();
        found.finality
    };
    assert_eq!(of(Vec::new()), Finality::Open);
    assert_eq!(of(vec![failed(1, "i:1", "api")]), Finality::Open);
    let others = vec![failed(1, "i:1", "api"), failed(9, "j:1", "side")];
    assert_eq!(of(others), Finality::Open, "another container");
    assert_eq!(of(vec![failed(2, "i:1", "api")]), Finality::Lasting);
    let twice = vec![failed(1, "i:1", "api"), failed(1, "i:1", "api")];
    assert_eq!(of(twice), Finality::Lasting, "with two texts");
}

#[test]
fn a_back_off_without_its_reason_is_explained_by_the_event_before_it() {
    let short = waiting("ImagePullBackOff", "Back-off pulling image \"i:1\"");
    let event = json!({"metadata": {}, "reason": "Failed", "involvedObject": {"uid": "p"},
        "message": "Failed to pull image \"i:1\": reading manifest 1 in r.example/i: manifest unknown"});
    let of = |events| {
        let found = workload(&snapshot(pod_of("web-b", &short), Vec::new(), events)).unwrap();
        found.finality
    };
    assert_ne!(of(Vec::new()), Finality::Final);
    assert_eq!(of(vec![event]), Finality::Final);
}
