//! Which context, cluster, user and namespace are chosen (`tools/clientcmd/client_config.go`).

use super::{TRUSTED, user};
use crate::kubeconfigs::{Case, Identity};

/// Two contexts, the first of them current, and a user and a cluster that no context names.
fn choice() -> String {
    format!(
        "current-context: one
contexts:
- {{name: one, context: {{cluster: here, user: one, namespace: first}}}}
- {{name: two, context: {{cluster: here, user: two, namespace: second}}}}
- {{name: nobody, context: {{cluster: here}}}}
- {{name: empty}}
- {{name: unknown-user, context: {{cluster: here, user: absent}}}}
- {{name: unknown-cluster, context: {{cluster: absent, user: one}}}}
- {{name: no-cluster, context: {{user: one}}}}
- {{name: bad-namespace, context: {{cluster: here, user: one, namespace: Not_A_Name}}}}
clusters:
- {{name: here, cluster: {{{TRUSTED}}}}}
- {{name: there, cluster: {{{TRUSTED}, tls-server-name: other.example}}}}
users:
- {{name: one, user: {{token: s3cret-one}}}}
- {{name: two, user: {{token: s3cret-two}}}}
- {{name: three, user: {{token: s3cret-three}}}}
"
    )
}

fn chosen(name: &'static str, arguments: &str) -> Case {
    Case::new(name).kubeconfig(choice()).arguments(arguments)
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = chosen_ones();
    cases.extend(refused_ones());
    cases.extend(namespaces());
    cases
}

fn chosen_ones() -> Vec<Case> {
    vec![
        chosen("the current context", "").reaches(Identity::bearer("s3cret-one")),
        chosen("--context", "--context two").reaches(Identity::bearer("s3cret-two")),
        chosen("--user", "--user three").reaches(Identity::bearer("s3cret-three")),
        chosen("--cluster", "--cluster there")
            .reaches(Identity::bearer("s3cret-one").server_name("other.example")),
        chosen("all three", "--context two --user three --cluster there")
            .reaches(Identity::bearer("s3cret-three").server_name("other.example")),
        Case::new("--context without a current context")
            .kubeconfig(choice().replace("current-context: one\n", ""))
            .arguments("--context two")
            .reaches(Identity::bearer("s3cret-two")),
        Case::new("--user and --cluster without any context")
            .kubeconfig(choice().replace("current-context: one\n", ""))
            .arguments("--user three --cluster here")
            .reaches(Identity::bearer("s3cret-three")),
        chosen(
            "a context without a user, and --user",
            "--context nobody --user three",
        )
        .reaches(Identity::bearer("s3cret-three")),
        chosen(
            "a context with an unknown cluster, and --cluster",
            "--context unknown-cluster --cluster here",
        )
        .reaches(Identity::bearer("s3cret-one")),
    ]
}

fn refused_ones() -> Vec<Case> {
    vec![
        chosen("a --context that is unknown", "--context absent").refused(&["`absent`"]),
        chosen("a --user that is unknown", "--user absent").refused(&["`absent`", "user"]),
        chosen("a --cluster that is unknown", "--cluster absent").refused(&["`absent`", "cluster"]),
        Case::new("a current context that is unknown")
            .kubeconfig(choice().replace("current-context: one", "current-context: absent"))
            .refused(&["`absent`"]),
        Case::new("no current context")
            .kubeconfig(choice().replace("current-context: one\n", ""))
            .refused(&["current context"]),
        // Without credentials, kubectl asks for a name and a password, and finds no terminal here.
        chosen("a context without a user", "--context nobody").refused(&["nobody", "user"]),
        chosen("a context with an unknown user", "--context unknown-user")
            .refused(&["`absent`", "user"]),
        Case::new("a user without credentials")
            .kubeconfig(user(""))
            .refused(&["`here`", "credentials"]),
        chosen(
            "a context with an unknown cluster",
            "--context unknown-cluster",
        )
        .refused(&["`absent`", "cluster"]),
        chosen("a context without a cluster", "--context no-cluster")
            .refused(&["no-cluster", "cluster"]),
        chosen("a context that says nothing", "--context empty").refused(&["empty", "cluster"]),
    ]
}

fn namespaces() -> Vec<Case> {
    let first = Identity::bearer("s3cret-one");
    vec![
        chosen("the context's namespace", "")
            .namespace("first")
            .reaches(first.clone()),
        chosen("--namespace", "--namespace third")
            .namespace("third")
            .reaches(first.clone()),
        chosen("-n", "-n third").namespace("third").reaches(first),
        chosen("the namespace of --context", "--context two")
            .namespace("second")
            .reaches(Identity::bearer("s3cret-two")),
        Case::new("no namespace")
            .kubeconfig(user("token: s3cret-token"))
            .namespace("default")
            .reaches(Identity::bearer("s3cret-token")),
    ]
}
