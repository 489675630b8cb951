//! Which files are read, and how several become one (`tools/clientcmd/loader.go`).

use super::{TRUSTED, config, named, user};
use crate::kubeconfigs::{Case, Identity};

const EMPTY: &str = "apiVersion: v1\nkind: Config\n";

fn token(name: &str) -> String {
    named(name, TRUSTED, &format!("token: s3cret-{name}"))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = lists();
    cases.extend(merging());
    cases.extend(single());
    cases.extend(forms());
    cases
}

fn lists() -> Vec<Case> {
    vec![
        Case::new("a list with a file that is missing")
            .file("second", token("second"))
            .environment("KUBECONFIG", "@folder@/absent:@folder@/second")
            .reaches(Identity::bearer("s3cret-second")),
        Case::new("a list with empty entries")
            .file("second", token("second"))
            .environment("KUBECONFIG", "::@folder@/second:")
            .reaches(Identity::bearer("s3cret-second")),
        Case::new("a list with a file of no bytes")
            .file("first", "")
            .file("second", token("second"))
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .reaches(Identity::bearer("s3cret-second")),
        Case::new("a list with a file that says nothing")
            .file("first", EMPTY)
            .file("second", token("second"))
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .reaches(Identity::bearer("s3cret-second")),
        Case::new("a list with a file twice")
            .file("first", token("first"))
            .environment("KUBECONFIG", "@folder@/first:@folder@/first")
            .reaches(Identity::bearer("s3cret-first")),
        Case::new("a list with a file that is no kubeconfig")
            .file("first", token("first"))
            .file("second", "users: [s3cret")
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .refused(&["@folder@/second"]),
        Case::new("a list with a folder")
            .file("first", token("first"))
            .folder("second")
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .refused(&["@folder@/second"]),
    ]
}

fn merging() -> Vec<Case> {
    vec![
        Case::new("the first file with a current context decides")
            .file("first", token("first"))
            .file("second", token("second"))
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .reaches(Identity::bearer("s3cret-first")),
        Case::new("a current context may stand in a later file")
            .file("first", token("first").replace("current-context: first\n", ""))
            .file("second", token("second"))
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .reaches(Identity::bearer("s3cret-second")),
        Case::new("of two users with one name the first counts, as a whole")
            .file("first", named("here", TRUSTED, "token: s3cret-first"))
            .file("second", named("here", TRUSTED, "token: s3cret-second, as: somebody"))
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .reaches(Identity::bearer("s3cret-first")),
        Case::new("of two clusters with one name the first counts")
            .file("first", named("here", TRUSTED, "token: s3cret-token"))
            .file(
                "second",
                named("here", "server: 'https://127.0.0.1:1', tls-server-name: other.example", ""),
            )
            .environment("KUBECONFIG", "@folder@/first:@folder@/second")
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("of two contexts with one name the first counts")
            .file("first", token("one"))
            .file(
                "second",
                "contexts: [{name: one, context: {cluster: one, user: two}}]\n\
                 users: [{name: two, user: {token: s3cret-two}}]\n",
            )
            .environment("KUBECONFIG", "@folder@/second:@folder@/first")
            .reaches(Identity::bearer("s3cret-two")),
        Case::new("paths are relative to the file that they stand in")
            .file(
                "deep/first",
                named("one", "server: '@https@', certificate-authority: ../pki/authority.crt", "tokenFile: token"),
            )
            .file("deep/token", "s3cret-deep")
            .file("token", "s3cret-shallow")
            .file("second", token("second"))
            .environment("KUBECONFIG", "@folder@/second:@folder@/deep/first")
            .arguments("--context one")
            .reaches(Identity::bearer("s3cret-deep")),
        Case::new("a context's parts may stand in three files")
            .file(
                "contexts",
                "current-context: one\ncontexts: [{name: one, context: {cluster: two, user: three}}]\n",
            )
            .file("clusters", format!("clusters: [{{name: two, cluster: {{{TRUSTED}}}}}]\n"))
            .file("users", "users: [{name: three, user: {token: s3cret-three}}]\n")
            .environment(
                "KUBECONFIG",
                "@folder@/contexts:@folder@/clusters:@folder@/users",
            )
            .reaches(Identity::bearer("s3cret-three")),
    ]
}

fn single() -> Vec<Case> {
    vec![
        Case::new("--kubeconfig")
            .file("one", user("token: s3cret-one"))
            .arguments("--kubeconfig @folder@/one")
            .reaches(Identity::bearer("s3cret-one")),
        Case::new("--kubeconfig stands above KUBECONFIG and is not merged with it")
            .kubeconfig(token("environment"))
            .file("one", token("one"))
            .arguments("--kubeconfig @folder@/one --user environment")
            .refused(&["environment"]),
        Case::new("--kubeconfig with a relative path")
            .file("one", user("token: s3cret-one"))
            .arguments("--kubeconfig ../one")
            .reaches(Identity::bearer("s3cret-one")),
        Case::new("--kubeconfig with a file that is missing")
            .kubeconfig(user("token: s3cret-environment"))
            .arguments("--kubeconfig @folder@/absent")
            .refused(&["@folder@/absent"]),
        Case::new("--kubeconfig with a folder")
            .folder("one")
            .arguments("--kubeconfig @folder@/one")
            .refused(&["@folder@/one"]),
        Case::new("--kubeconfig with a list")
            .file("one", token("one"))
            .file("two", token("two"))
            .arguments("--kubeconfig @folder@/one:@folder@/two")
            .refused(&["@folder@/one:@folder@/two"]),
        Case::new("the file in the home directory")
            .file("home/.kube/config", user("token: s3cret-home"))
            .reaches(Identity::bearer("s3cret-home")),
        Case::new("a relative path in the variable")
            .file("one", user("token: s3cret-one"))
            .environment("KUBECONFIG", "../one")
            .reaches(Identity::bearer("s3cret-one")),
        Case::new("a tilde in the variable is only a name")
            .file("home/one", user("token: s3cret-one"))
            .environment("KUBECONFIG", "~/one")
            .refused(&["no kubeconfig", "~/one"]),
        Case::new("an empty variable is none")
            .file("home/.kube/config", user("token: s3cret-home"))
            .environment("KUBECONFIG", "")
            .reaches(Identity::bearer("s3cret-home")),
        Case::new("only files that are missing")
            .file("home/.kube/config", user("token: s3cret-home"))
            .environment("KUBECONFIG", "@folder@/absent:@folder@/missing")
            .refused(&["no kubeconfig", "KUBECONFIG"]),
        // kubectl then asks a server at localhost:8080, which somebody else may have started.
        Case::new("no file at all").refused(&["no kubeconfig"]),
        Case::new("a file of no bytes alone")
            .kubeconfig("")
            .refused(&["context"]),
    ]
}

fn forms() -> Vec<Case> {
    let json = r#"{"apiVersion":"v1","kind":"Config","current-context":"here",
        "contexts":[{"name":"here","context":{"cluster":"here","user":"here"}}],
        "clusters":[{"name":"here","cluster":{"server":"@https@","certificate-authority":"@authority@"}}],
        "users":[{"name":"here","user":{"token":"s3cret-json"}}]}"#;
    vec![
        Case::new("JSON")
            .kubeconfig(json)
            .reaches(Identity::bearer("s3cret-json")),
        Case::new("an anchor")
            .kubeconfig(
                user("token: &it s3cret-token").replace(
                    "users: [",
                    "users: [{name: other, user: &all {token: s3cret-other}}, ",
                ) + "extensions: []\npreferences: {a: *it}\n",
            )
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("lines that end as on Windows")
            .kubeconfig(user("token: s3cret-token").replace('\n', "\r\n"))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("a byte order mark")
            .kubeconfig(format!("\u{feff}{}", user("token: s3cret-token")))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("fields that nobody knows")
            .kubeconfig(format!(
                "novel: true\n{}",
                user("token: s3cret-token, novel: {a: 1}")
            ))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("another version of the format")
            .kubeconfig(user("token: s3cret-token").replace("apiVersion: v1", "apiVersion: v2"))
            .refused(&["@folder@/config"]),
        Case::new("another kind")
            .kubeconfig(user("token: s3cret-token").replace("kind: Config", "kind: Secret"))
            .refused(&["@folder@/config"]),
        Case::new("a number where a text belongs")
            .kubeconfig(user("token: 12345"))
            .refused(&["@folder@/config"]),
        Case::new("a text where a truth value belongs")
            .kubeconfig(config(
                "server: '@https@', insecure-skip-tls-verify: 'true'",
                "token: s3cret-token",
            ))
            .refused(&["@folder@/config"]),
        Case::new("a key twice")
            .kubeconfig(user("token: s3cret-first, token: s3cret-second"))
            .reaches(Identity::bearer("s3cret-second")),
        Case::new("a second document")
            .kubeconfig(format!("{}---\nusers: []\n", user("token: s3cret-token")))
            .reaches(Identity::bearer("s3cret-token")),
        Case::new("fields in another case")
            .kubeconfig(user("Token: s3cret-token"))
            .refused(&["`here`", "credentials"]),
        Case::new("the same name twice in one file")
            .kubeconfig(user("token: s3cret-token").replace(
                "users: [",
                "users: [{name: here, user: {token: s3cret-earlier}}, ",
            ))
            .refused(&["@folder@/config"]),
        Case::new("a tab that indents")
            .kubeconfig(format!(
                "{}extensions:\n\t- s3cret\n",
                user("token: s3cret-token")
            ))
            .refused(&["@folder@/config"]),
    ]
}
