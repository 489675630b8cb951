use super::super::tests::load_text;
use super::*;

const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n\
                     spec: {storageClassName: standard}\n---\n";

const SERVER: &str = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: server}\n\
                      spec:\n  replicas: 2\n  template:\n    spec:\n      \
                      initContainers: [{name: prepare, image: 'app:1'}]\n      \
                      containers: [{name: api, image: 'app:1'}]\n  \
                      volumeClaimTemplates: [{spec: {storageClassName: standard}}]\n---\n";

const SIDECAR: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n\
                       spec: {template: {spec: {containers: [{name: api, image: 'app:1'}, \
                       {name: proxy, image: 'proxy:1'}]}}}\n---\n";

fn set(parts: &[&str]) -> ManifestSet {
    load_text(parts.concat().leak()).unwrap()
}

fn images(edits: &[&str]) -> Edits {
    let images = edits.iter().map(|edit| edit.parse().unwrap()).collect();
    Edits {
        images,
        ..Edits::default()
    }
}

fn problem(set: &mut ManifestSet, edits: &Edits) -> String {
    let before: Vec<_> = set
        .manifests()
        .iter()
        .map(|manifest| manifest.value.clone())
        .collect();
    let text = set.edit(edits).unwrap_err().to_string();
    let after: Vec<_> = set
        .manifests()
        .iter()
        .map(|manifest| manifest.value.clone())
        .collect();
    assert_eq!(before, after, "a refused change changes nothing");
    text
}

fn values(set: &ManifestSet, pointer: &str) -> Vec<String> {
    let found = set
        .manifests()
        .iter()
        .filter_map(|manifest| manifest.value.pointer(pointer));
    found.map(ToString::to_string).collect()
}

#[test]
fn an_image_without_a_container_is_for_all_that_share_one() {
    let mut set = set(&[CLAIM, SERVER]);
    set.edit(&images(&["registry:5000/app@sha256:abc"]))
        .unwrap();
    for pointer in [
        "/spec/template/spec/containers/0/image",
        "/spec/template/spec/initContainers/0/image",
    ] {
        assert_eq!(values(&set, pointer), ["\"registry:5000/app@sha256:abc\""]);
    }
}

#[test]
fn an_image_for_a_container_is_for_it_alone() {
    let mut set = set(&[SIDECAR]);
    set.edit(&images(&["proxy=proxy:2"])).unwrap();
    assert_eq!(
        values(&set, "/spec/template/spec/containers/0/image"),
        ["\"app:1\""]
    );
    assert_eq!(
        values(&set, "/spec/template/spec/containers/1/image"),
        ["\"proxy:2\""]
    );
}

#[test]
fn replicas_are_those_of_the_stateful_set_first() {
    let edits = Edits {
        replicas: Some(3),
        ..Edits::default()
    };
    let mut both = set(&[SIDECAR, SERVER]);
    both.edit(&edits).unwrap();
    assert_eq!(values(&both, "/spec/replicas"), ["3"]);
    let mut deployment = set(&[SIDECAR]);
    deployment.edit(&edits).unwrap();
    assert_eq!(values(&deployment, "/spec/replicas"), ["3"]);
}

#[test]
fn a_storage_class_is_for_all_claims() {
    let mut set = set(&[CLAIM, SERVER]);
    set.edit(&Edits {
        storage_class: Some("fast".to_owned()),
        ..Edits::default()
    })
    .unwrap();
    assert_eq!(values(&set, "/spec/storageClassName"), ["\"fast\""]);
    assert_eq!(
        values(&set, "/spec/volumeClaimTemplates/0/spec/storageClassName"),
        ["\"fast\""]
    );
}

#[test]
fn says_why_a_change_cannot_be_made() {
    let replicas = Edits {
        replicas: Some(1),
        ..Edits::default()
    };
    let class = Edits {
        storage_class: Some("fast".to_owned()),
        ..Edits::default()
    };
    let everything = Edits {
        replicas: Some(1),
        ..class.clone()
    };
    let table: [(&[&str], Edits, &str); 10] = [
        (
            &[CLAIM],
            images(&["a"]),
            "`--image` has nothing to change: the manifests hold no workload",
        ),
        (
            &[SERVER, SIDECAR],
            images(&["a"]),
            "`--image` could mean `statefulset/server`, `deployment/web`: say it in the manifests",
        ),
        (
            &[SIDECAR],
            images(&["a"]),
            "the containers of `deployment/web` have different images: say which one with \
             `--image CONTAINER=IMAGE`, CONTAINER being one of `api`, `proxy`",
        ),
        (
            &[SIDECAR],
            images(&["x=a"]),
            "`deployment/web` has no container `x`, but `api`, `proxy`",
        ),
        (
            &[SIDECAR],
            images(&["api=a", "api=b"]),
            "`--image` was given several times for the same container",
        ),
        (
            &[SERVER],
            images(&["a", "api=b"]),
            "`--image` was given several times for the same container",
        ),
        (&[SERVER], images(&["api="]), "`--image` needs an image"),
        (
            &[CLAIM],
            replicas,
            "`--replicas` has nothing to change: the manifests hold no StatefulSet or Deployment",
        ),
        (
            &[SIDECAR],
            class,
            "`--storage-class` has nothing to change: the manifests hold no \
             PersistentVolumeClaim and no volumeClaimTemplates",
        ),
        (
            &["{apiVersion: v1, kind: Secret, metadata: {name: a}}"],
            everything,
            "`--replicas` has nothing to change: the manifests hold no StatefulSet or Deployment\n\
             `--storage-class` has nothing to change: the manifests hold no \
             PersistentVolumeClaim and no volumeClaimTemplates",
        ),
    ];
    for (parts, edits, expected) in table {
        assert_eq!(problem(&mut set(parts), &edits), expected);
    }
}
