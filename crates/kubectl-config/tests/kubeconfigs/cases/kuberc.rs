//! kubectl's preferences, as far as they say which credential plugins may be started
//! (`pkg/kuberc` in kubectl).

use super::user;
use crate::kubeconfigs::plugin;
use crate::kubeconfigs::{Case, Identity};

const DENY: &str = "credentialPluginPolicy: DenyAll";

fn preferences(fields: &str) -> String {
    format!("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{fields}\n")
}

fn with_plugin(name: &'static str) -> Case {
    Case::new(name)
        .kubeconfig(user(
            "exec: {command: '@folder@/plugin', apiVersion: client.authentication.k8s.io/v1, \
             interactiveMode: Never}",
        ))
        .program("plugin", plugin::giving(r#""token":"s3cret-plugin""#))
}

fn at_home(name: &'static str, fields: &str) -> Case {
    with_plugin(name).file("home/.kube/kuberc", preferences(fields))
}

pub(crate) fn cases() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-plugin");
    let mut cases = places();
    cases.extend(vec![
        at_home("all are allowed", "credentialPluginPolicy: AllowAll").reaches(somebody.clone()),
        at_home("nothing is said", "aliases: []").reaches(somebody.clone()),
        at_home("none is allowed", DENY)
            .calls(0)
            .refused(&["@folder@/plugin", "DenyAll"]),
        at_home(
            "this one is allowed",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: '@folder@/plugin'}]",
        )
        .reaches(somebody.clone()),
        at_home(
            "this one is allowed, by the field's old name",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: '@folder@/plugin'}]",
        )
        .reaches(somebody.clone()),
        at_home(
            "this one is allowed by its name in PATH",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: plugin}]",
        )
        .environment("PATH", "@folder@:/usr/bin:/bin")
        .reaches(somebody.clone()),
        at_home(
            "others are allowed",
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: '@folder@/other'}]",
        )
        .calls(0)
        .refused(&["@folder@/plugin", "Allowlist"]),
        at_home("a list of none", "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []")
            .calls(0)
            .refused(&["credentialPluginAllowlist"]),
        at_home("a list that no policy asks for", "credentialPluginAllowlist: [{command: '@folder@/plugin'}]")
            .calls(0)
            .refused(&["credentialPluginAllowlist"]),
        at_home("an unknown policy", "credentialPluginPolicy: Sometimes")
            .calls(0)
            .refused(&["Sometimes"]),
        Case::new("none is allowed, and none is needed")
            .kubeconfig(user("token: s3cret-token"))
            .file("home/.kube/kuberc", preferences(DENY))
            .reaches(Identity::bearer("s3cret-token")),
    ]);
    cases
}

fn places() -> Vec<Case> {
    let somebody = Identity::bearer("s3cret-plugin");
    vec![
        with_plugin("preferences that KUBERC names")
            .file("preferences", preferences(DENY))
            .environment("KUBERC", "@folder@/preferences")
            .calls(0)
            .refused(&["@folder@/plugin", "DenyAll"]),
        with_plugin("preferences that KUBERC names and that are missing")
            .environment("KUBERC", "@folder@/absent")
            .calls(0)
            .refused(&["@folder@/absent"]),
        at_home("preferences that KUBERC turns off", DENY)
            .environment("KUBERC", "off")
            .reaches(somebody.clone()),
        at_home("preferences that KUBECTL_KUBERC turns off", DENY)
            .environment("KUBECTL_KUBERC", "false")
            .reaches(somebody.clone()),
        with_plugin("preferences that are no YAML")
            .file("home/.kube/kuberc", "credentialPluginPolicy: [")
            .reaches(somebody.clone())
            .but_ours_refuses(
                "who wrote a policy did not mean to allow everything by a typing error",
                &["kuberc"],
            ),
        with_plugin("preferences of another version")
            .file(
                "home/.kube/kuberc",
                preferences(DENY).replace("v1beta1", "v7"),
            )
            .reaches(somebody.clone()),
        with_plugin("preferences of the version before, which has no policy")
            .file(
                "home/.kube/kuberc",
                preferences(DENY).replace("v1beta1", "v1alpha1"),
            )
            .reaches(somebody),
    ]
}
