//! Credential plugins: when and how they are started (`plugin/pkg/client/auth/exec/exec.go`).

use std::time::Duration;

use serde_json::json;

use super::{TRUSTED, config, user};
use crate::kubeconfigs::case::Expected;
use crate::kubeconfigs::plugin::{self, Call};
use crate::kubeconfigs::{Case, Identity};

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";
const TOKEN: &str = r#""token":"s3cret-plugin""#;

/// A user whose plugin has these fields in addition to its command.
fn exec(fields: &str) -> String {
    user(&format!("exec: {{command: '@folder@/plugin', {fields}}}"))
}

fn never() -> String {
    format!("apiVersion: {V1}, interactiveMode: Never")
}

fn with_plugin(name: &'static str, kubeconfig: String) -> Case {
    Case::new(name)
        .kubeconfig(kubeconfig)
        .program("plugin", plugin::giving(TOKEN))
}

fn somebody() -> Identity {
    Identity::bearer("s3cret-plugin")
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = versions();
    cases.extend(modes());
    cases.extend(commands());
    cases.extend(surroundings());
    cases.extend(renewals());
    cases.extend(endings());
    cases
}

fn versions() -> Vec<Case> {
    vec![
        with_plugin("v1", exec(&never()))
            .call(Call::plain(V1))
            .reaches(somebody()),
        Case::new("v1beta1, without a mode")
            .kubeconfig(exec(&format!("apiVersion: {V1BETA1}")))
            .program(
                "plugin",
                plugin::printing(&plugin::credential(V1BETA1, TOKEN)),
            )
            .call(Call::plain(V1BETA1))
            .reaches(somebody()),
        Case::new("v1alpha1")
            .kubeconfig(exec(
                "apiVersion: client.authentication.k8s.io/v1alpha1, interactiveMode: Never",
            ))
            .program(
                "plugin",
                plugin::printing(&plugin::credential(
                    "client.authentication.k8s.io/v1alpha1",
                    TOKEN,
                )),
            )
            .calls(0)
            .refused(&["v1alpha1"]),
        with_plugin("no version", exec("interactiveMode: Never"))
            .calls(0)
            .refused(&["apiVersion"]),
        with_plugin(
            "another version",
            exec("apiVersion: example.com/v1, interactiveMode: Never"),
        )
        .calls(0)
        .refused(&["example.com/v1"]),
    ]
}

/// What a plugin is given that may talk to the person at the terminal.
fn typed() -> Call {
    Call {
        info: json!({
            "apiVersion": V1,
            "kind": "ExecCredential",
            "spec": {"interactive": true},
        }),
        input: "terminal typed".to_owned(),
        ..Call::plain(V1)
    }
}

fn modes() -> Vec<Case> {
    let mode = |mode: &str| exec(&format!("apiVersion: {V1}, interactiveMode: {mode}"));
    vec![
        with_plugin(
            "interactive if it can be, without a terminal",
            mode("IfAvailable"),
        )
        .call(Call::plain(V1))
        .reaches(somebody()),
        with_plugin("always interactive, without a terminal", mode("Always"))
            .calls(0)
            .refused(&["interactive", "terminal"]),
        with_plugin(
            "interactive if it can be, on a terminal",
            mode("IfAvailable"),
        )
        .on_a_terminal()
        .call(typed())
        .reaches(somebody()),
        with_plugin("always interactive, on a terminal", mode("Always"))
            .on_a_terminal()
            .call(typed())
            .reaches(somebody()),
        with_plugin("never interactive, on a terminal", mode("Never"))
            .on_a_terminal()
            .call(Call::plain(V1))
            .reaches(somebody()),
        with_plugin("v1 without a mode", exec(&format!("apiVersion: {V1}")))
            .calls(0)
            .refused(&["interactiveMode"]),
        with_plugin("another mode", mode("Sometimes"))
            .calls(0)
            .refused(&["interactiveMode", "Sometimes"]),
        Case::new("v1beta1, always interactive, without a terminal")
            .kubeconfig(exec(&format!(
                "apiVersion: {V1BETA1}, interactiveMode: Always"
            )))
            .program(
                "plugin",
                plugin::printing(&plugin::credential(V1BETA1, TOKEN)),
            )
            .calls(0)
            .refused(&["interactive", "terminal"]),
    ]
}

fn commands() -> Vec<Case> {
    let command = |command: &str| user(&format!("exec: {{command: '{command}', {}}}", never()));
    vec![
        with_plugin(
            "a command with a slash is relative to the kubeconfig",
            command("./plugin"),
        )
        .reaches(somebody()),
        with_plugin(
            "a command with a slash in another folder",
            command("bin/plugin"),
        )
        .program("bin/plugin", plugin::giving(r#""token":"s3cret-other""#))
        .reaches(Identity::bearer("s3cret-other")),
        with_plugin(
            "a command without a slash is looked for in PATH",
            command("plugin"),
        )
        .environment("PATH", "@folder@:/usr/bin:/bin")
        .reaches(somebody()),
        with_plugin(
            "a command without a slash is not looked for beside the kubeconfig",
            command("plugin"),
        )
        .refused(&["plugin"]),
        Case::new("a command without a slash is not looked for where the program runs")
            .kubeconfig(command("plugin"))
            .program("work/plugin", plugin::giving(TOKEN))
            .environment("PATH", ".:/usr/bin:/bin")
            .refused(&["plugin"]),
        with_plugin(
            "the plugin's own PATH is not where it is looked for",
            user(&format!(
                "exec: {{command: plugin, {}, env: [{{name: PATH, value: '@folder@:/usr/bin:/bin'}}]}}",
                never()
            )),
        )
        .refused(&["plugin"]),
        Case::new("a command that is not installed")
            .kubeconfig(command("absent-plugin"))
            .refused(&["absent-plugin"]),
        Case::new("a command that may not be executed")
            .kubeconfig(command("@folder@/plugin"))
            .file("plugin", plugin::giving(TOKEN))
            .refused(&["@folder@/plugin"]),
        Case::new("no command")
            .kubeconfig(user(&format!("exec: {{{}}}", never())))
            .refused(&["command"]),
    ]
}

fn surroundings() -> Vec<Case> {
    let given = |arguments: &[&str], environment: &[&str]| Call {
        arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        environment: environment.iter().map(|&text| text.to_owned()).collect(),
        ..Call::plain(V1)
    };
    vec![
        with_plugin(
            "arguments",
            exec(&format!(
                "{}, args: [get-token, '--with space', '']",
                never()
            )),
        )
        .call(given(&["get-token", "--with space", ""], &[]))
        .reaches(somebody()),
        with_plugin(
            "variables",
            exec(&format!(
                "{}, env: [{{name: PLUGIN_A, value: s3cret-a}}, {{name: PLUGIN_B, value: b}}]",
                never()
            )),
        )
        .environment("PLUGIN_B", "overridden")
        .environment("PLUGIN_C", "inherited")
        .call(given(
            &[],
            &["PLUGIN_A=s3cret-a", "PLUGIN_B=b", "PLUGIN_C=inherited"],
        ))
        .reaches(somebody()),
        with_plugin(
            "a variable without a name",
            exec(&format!("{}, env: [{{value: s3cret}}]", never())),
        )
        .refused(&["env"]),
        with_plugin("an earlier KUBERNETES_EXEC_INFO", exec(&never()))
            .environment("KUBERNETES_EXEC_INFO", "{}")
            .call(Call::plain(V1))
            .reaches(somebody()),
        Case::new("what the plugin is told about the cluster")
            .kubeconfig(config(
                "server: '@https@/k8s', certificate-authority-data: '@authority-data@', \
                 tls-server-name: other.example, disable-compression: true, extensions: \
                 [{name: client.authentication.k8s.io/exec, extension: {audience: x}}, \
                 {name: other, extension: {a: b}}]",
                &format!(
                    "exec: {{command: '@folder@/plugin', {}, provideClusterInfo: true}}",
                    never()
                ),
            ))
            .program("plugin", plugin::giving(TOKEN))
            .call(Call {
                info: json!({
                    "apiVersion": V1,
                    "kind": "ExecCredential",
                    "spec": {"interactive": false, "cluster": {
                        "server": "@https@/k8s",
                        "tls-server-name": "other.example",
                        "certificate-authority-data": "@authority-data@",
                        "disable-compression": true,
                        "config": {"audience": "x"},
                    }},
                }),
                ..Call::plain(V1)
            })
            .reaches(somebody().server_name("other.example").prefix("/k8s")),
        Case::new("a cluster's authority in a file is told as its content")
            .kubeconfig(config(
                &format!("{TRUSTED}, proxy-url: 'http://127.0.0.1:@port@'"),
                &format!(
                    "exec: {{command: '@folder@/plugin', {}, provideClusterInfo: true}}",
                    never()
                ),
            ))
            .program("plugin", plugin::giving(TOKEN))
            .call(Call {
                info: json!({
                    "apiVersion": V1,
                    "kind": "ExecCredential",
                    "spec": {"interactive": false, "cluster": {
                        "server": "@https@",
                        "certificate-authority-data": "@authority-data@",
                        "proxy-url": "http://127.0.0.1:@port@",
                        "config": null,
                    }},
                }),
                ..Call::plain(V1)
            })
            .reaches(somebody().via("http", "127.0.0.1:@port@")),
    ]
}

/// Plugins whose credentials are refused at first; each start gives others than the one before.
///
/// kubectl does not repeat the refused request, but sends its next one, of another path, with what the
/// plugin gave meanwhile. Ours repeats the refused one, once.
fn renewals() -> Vec<Case> {
    let counting = |name, lines: &str| {
        let count = "echo start >>'@folder@/starts'\nnumber=$(grep -c start '@folder@/starts')";
        Case::new(name)
            .kubeconfig(exec(&never()))
            .program("plugin", plugin::ending_with(&format!("{count}\n{lines}")))
            .absent("starts")
    };
    let numbered = format!(
        "cat <<END\n{}\nEND",
        plugin::credential(V1, r#""token":"s3cret-$number""#)
    );
    let pair = |owner: &str| {
        let pair = format!(
            r#""clientCertificateData":"@{owner}.crt-json@","clientKeyData":"@{owner}.key-json@""#
        );
        format!("cat <<'END'\n{}\nEND", plugin::credential(V1, &pair))
    };
    let numbers = |last: usize| {
        (1..=last)
            .map(|number| Identity::bearer(&format!("s3cret-{number}")))
            .collect::<Vec<_>>()
    };
    vec![
        counting("a plugin that gives a new token after a 401", &numbered)
            .unauthorized(1)
            .calls(2)
            .reaches_in_turn(numbers(2)),
        counting(
            "a plugin that gives a new certificate after a 401",
            &format!(
                "if [ $number = 1 ]; then\n{}\nelse\n{}\nfi",
                pair("alice"),
                pair("bob")
            ),
        )
        .unauthorized(1)
        .calls(2)
        .reaches_in_turn(vec![
            Identity::certificate("alice"),
            Identity::certificate("bob"),
        ]),
        counting("a plugin whose tokens are never accepted", &numbered)
            .unauthorized(1000)
            .reaches_in_turn(numbers(5))
            .but_ours(
                "kubectl sends other requests after each refusal; ours repeats the first once and \
                 gives up",
                Expected::Reaches(numbers(2)),
            ),
    ]
}

fn endings() -> Vec<Case> {
    let script = |name, lines| {
        Case::new(name)
            .kubeconfig(exec(&never()))
            .program("plugin", plugin::ending_with(lines))
    };
    vec![
        script(
            "a plugin that fails",
            "echo s3cret-output\necho 'log in first' >&2\nexit 3",
        )
        .refused(&["@folder@/plugin", "3", "log in first"]),
        script("a plugin that dies of a signal", "kill -TERM $$").refused(&["@folder@/plugin"]),
        script(
            "a plugin that talks while it succeeds",
            &format!(
                "echo 'opening a browser' >&2\necho '{}'",
                plugin::credential(V1, TOKEN)
            ),
        )
        .says(&["opening a browser"])
        .reaches(somebody()),
        script(
            "a plugin that never ends",
            "sleep 600 & echo $! >'@folder@/child'\nwait",
        )
        .arguments("--timeout 3s")
        .without_kubectl()
        .limit(Duration::from_secs(15))
        .ends_process("child")
        .refused(&["@folder@/plugin"]),
    ]
}
