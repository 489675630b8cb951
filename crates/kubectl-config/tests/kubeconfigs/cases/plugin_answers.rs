//! Credential plugins: what they answer.

use super::{TRUSTED, config, user};
use crate::kubeconfigs::plugin;
use crate::kubeconfigs::{Case, Identity};

const V1: &str = "client.authentication.k8s.io/v1";
const PAIR: &str =
    r#""clientCertificateData":"@alice.crt-json@","clientKeyData":"@alice.key-json@""#;

/// A user whose plugin has this script.
fn script(name: &'static str, script: String) -> Case {
    Case::new(name)
        .kubeconfig(user(&format!(
            "exec: {{command: '@folder@/plugin', apiVersion: {V1}, interactiveMode: Never}}"
        )))
        .program("plugin", script)
}

fn prints(name: &'static str, output: &str) -> Case {
    script(name, plugin::printing(output))
}

fn gives(name: &'static str, status: &str) -> Case {
    script(name, plugin::giving(status))
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = credentials();
    cases.extend(refusals());
    cases
}

fn credentials() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-plugin");
    vec![
        gives("a certificate", PAIR).calls(1).reaches(Identity::certificate("alice")),
        gives("a certificate and a token", &format!(r#"{PAIR},"token":"s3cret-plugin""#))
            .reaches(somebody.clone().with_certificate("alice")),
        gives(
            "a token that is valid for long",
            r#""token":"s3cret-plugin","expirationTimestamp":"2100-01-01T00:00:00Z""#,
        )
        .reaches(somebody.clone()),
        gives(
            "a token that is over already",
            r#""token":"s3cret-plugin","expirationTimestamp":"2001-01-01T00:00:00Z""#,
        )
        .reaches(somebody.clone()),
        prints(
            "fields that nobody knows",
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","novel":1,"spec":{},"status":{"token":"s3cret-plugin","novel":{}}}"#,
        )
        .reaches(somebody.clone()),
        prints(
            "YAML",
            "apiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus: {token: s3cret-plugin}",
        )
        .reaches(somebody.clone()),
        gives("a token with a line's end", r#""token":"s3cret-plugin\n""#).refused(&["token"]),
        script(
            "a token after much space",
            plugin::ending_with(&format!(
                "printf '%200000s' ''\necho '{}'",
                plugin::credential(V1, r#""token":"s3cret-plugin""#)
            )),
        )
        .reaches(somebody.clone()),
        Case::new("a plugin and a certificate: the plugin is not asked")
            .kubeconfig(config(
                TRUSTED,
                &format!(
                    "client-certificate: '@alice.crt@', client-key: '@alice.key@', exec: {{command: \
                     '@folder@/plugin', apiVersion: {V1}, interactiveMode: Never}}"
                ),
            ))
            .program("plugin", plugin::giving(r#""token":"s3cret-plugin""#))
            .calls(0)
            .reaches(Identity::certificate("alice")),
        Case::new("a plugin and a token: the plugin is not asked")
            .kubeconfig(config(
                TRUSTED,
                &format!(
                    "token: s3cret-token, exec: {{command: '@folder@/plugin', apiVersion: {V1}, \
                     interactiveMode: Never}}"
                ),
            ))
            .program("plugin", plugin::giving(r#""token":"s3cret-plugin""#))
            .calls(0)
            .reaches(Identity::bearer("s3cret-token")),
    ]
}

fn refusals() -> Vec<Case> {
    vec![
        prints("nothing", "").refused(&["@folder@/plugin"]),
        prints("a text that is no JSON", "s3cret-plugin").refused(&["@folder@/plugin"]),
        prints(
            "another kind",
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"Pod","status":{"token":"s3cret-plugin"}}"#,
        )
        .refused(&["@folder@/plugin"]),
        prints(
            "no kind",
            r#"{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"s3cret-plugin"}}"#,
        )
        .reaches(Identity::bearer("s3cret-plugin")),
        prints(
            "another version than it was asked for",
            r#"{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"s3cret-plugin"}}"#,
        )
        .refused(&["@folder@/plugin", "v1beta1"]),
        prints(
            "no status",
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#,
        )
        .refused(&["@folder@/plugin", "status"]),
        gives("an empty status", "").refused(&["@folder@/plugin"]),
        gives(
            "a certificate without a key",
            r#""token":"s3cret-plugin","clientCertificateData":"@alice.crt-json@""#,
        )
        .refused(&["@folder@/plugin", "key"]),
        gives(
            "a certificate and somebody else's key",
            r#""clientCertificateData":"@alice.crt-json@","clientKeyData":"@bob.key-json@""#,
        )
        .refused(&["@folder@/plugin"]),
        gives("a time that is none", r#""token":"s3cret-plugin","expirationTimestamp":"soon""#)
            .refused(&["@folder@/plugin"]),
        script(
            "very much",
            plugin::ending_with("head -c 3000000 /dev/zero | tr '\\0' x"),
        )
        .refused(&["@folder@/plugin"]),
    ]
}
