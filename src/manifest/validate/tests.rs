use super::super::tests::load_text;

/// Texts and all that is wrong with them.
#[test]
fn says_all_that_is_wrong_and_where() {
    let table: [(&str, &str); 23] = [
        ("", "no objects in x"),
        ("# nothing\n---\n", "no objects in x"),
        ("apiVersion: v1\nkind: List\nitems: []\n", "no objects in x"),
        (
            "{a: b}\nc: d",
            "x:2:1: the document has ended before this; kubectl would silently ignore the rest",
        ),
        (
            "\r---\rc: d",
            "x:2:1: a carriage return alone does not end a line before `---` to kubectl",
        ),
        ("hello", "x:1: not a Kubernetes object, but a string"),
        ("\n\n- a", "x:3: not a Kubernetes object, but a list"),
        (
            "{}",
            "x:1: field `apiVersion` is missing\nx:1: field `kind` is missing\nx:1: field `metadata.name` is missing",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {}",
            "x:1: field `metadata.name` is missing",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: \"\"}",
            "x:1: field `metadata.name` is missing",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}",
            "x:1: `metadata.generateName` is not possible, since apply needs a name",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: on}",
            "x:1: field `metadata.name` must be a string, not a boolean (quote it if it is meant as text)",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 7}",
            "x:1: field `metadata.namespace` must be a string, not a number (quote it if it is meant as text)",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: yes}}",
            "x:1: field `metadata.labels[x]` must be a string, not a boolean (quote it if it is meant as text)",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: []}",
            "x:1: field `metadata.annotations` must be a mapping, not a list",
        ),
        (
            "apiVersion: a/b/c\nkind: Pod\nmetadata: {name: a}",
            "x:1: field `apiVersion` must be `VERSION` or `GROUP/VERSION`",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: A}",
            "x:1: field `metadata.name` must consist of lower-case letters, digits, `-` and `.`, each part starting and ending with a letter or digit",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: A}",
            "x:1: field `metadata.namespace` must consist of lower-case letters, digits and `-`, and start and end with a letter or digit",
        ),
        (
            "apiVersion: v1\nkind: Pod\nitems: []",
            "x:1: has `items`, but its kind does not end in `List`",
        ),
        (
            "apiVersion: v1\nkind: List\nitems: [{kind: Pod, metadata: {name: a}}, 5]",
            "x:1: item 1: field `apiVersion` is missing\nx:1: item 2: not a Kubernetes object, but a number (quote it if it is meant as text)",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}",
            "x:5: `pod/a` was already given in x:1",
        ),
        (
            "a: [\n---\nb: 1\nb: 2\n---\nc: d: e",
            "x:1:4: unclosed bracket '['\nx:4:1: this key was already given in line 3; kubectl would silently take the last value\nx:6:5: mapping values are not allowed in this context",
        ),
        (
            "{\"a\": 1,\n\"a\": 2}",
            "x:2:3: this key was already given; kubectl would silently take the last value",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(load_text(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn items_of_lists_keep_their_place() {
    let set = load_text(
        "# comment\napiVersion: v1\nkind: List\nitems:\n\
         - {apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: a}}]}\n\
         - {apiVersion: v1, kind: Secret, metadata: {name: b}}\n",
    )
    .unwrap();
    let places: Vec<_> = set
        .manifests()
        .iter()
        .map(|manifest| format!("{} {}", manifest.origin, manifest.reference))
        .collect();
    assert_eq!(
        places,
        ["x:2: item 1: item 1 configmap/a", "x:2: item 2 secret/b"]
    );
}

#[test]
fn versions_of_one_object_are_one_object() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\n\
                apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n";
    assert_eq!(
        load_text(text).unwrap_err().to_string(),
        "x:5: `deployment/a` was already given in x:1"
    );
}
