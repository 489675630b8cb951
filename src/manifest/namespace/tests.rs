use super::super::tests::load_text;
use super::*;

#[test]
fn resolves_as_kubectl_does() {
    let text = |namespace: &'static str| match namespace {
        "" => "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
        _ => "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: written}\n",
    };
    // Written, scope, requested, the outcome; `Err` for a mismatch.
    let table = [
        ("", Scope::Namespaced, None, Ok(Some("default"))),
        ("", Scope::Namespaced, Some("asked"), Ok(Some("asked"))),
        ("written", Scope::Namespaced, None, Ok(Some("written"))),
        (
            "written",
            Scope::Namespaced,
            Some("written"),
            Ok(Some("written")),
        ),
        ("written", Scope::Namespaced, Some("asked"), Err(())),
        ("written", Scope::Cluster, Some("asked"), Ok(None)),
        ("", Scope::Cluster, None, Ok(None)),
    ];
    for (written, scope, requested, expected) in table {
        let set = load_text(text(written)).unwrap();
        let outcome = resolve_namespace(&set.manifests()[0], scope, requested, "default");
        let outcome = outcome.as_ref().map(Option::as_deref).map_err(|_| ());
        assert_eq!(outcome, expected, "{written} {scope:?} {requested:?}");
    }
}

#[test]
fn a_mismatch_names_object_and_place() {
    let set =
        load_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: written}\n").unwrap();
    let error = resolve_namespace(
        &set.manifests()[0],
        Scope::Namespaced,
        Some("asked"),
        "default",
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "x:1: `pod/a` says namespace `written`, which is not the requested namespace `asked`"
    );
}

#[test]
fn retargets_every_namespace() {
    let mut set = load_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: old}\n---\n\
         apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: old}\n---\n\
         apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: b}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
         metadata: {name: c, namespace: old}\n\
         subjects: [{kind: ServiceAccount, name: s, namespace: old}, {kind: User, name: u}]\n",
    )
    .unwrap();
    set.retarget("new");
    let text = set
        .manifests()
        .iter()
        .map(|manifest| manifest.value.to_string())
        .collect::<String>();
    assert!(!text.contains("old"), "{text}");
    let references: Vec<_> = set
        .manifests()
        .iter()
        .map(|manifest| {
            (
                manifest.reference.to_string(),
                manifest.reference.namespace.as_deref(),
            )
        })
        .collect();
    assert!(references.contains(&("namespace/new".to_owned(), None)));
    assert!(references.contains(&("pod/a".to_owned(), Some("new"))));
    assert!(references.contains(&("storageclass/b".to_owned(), None)));
}
