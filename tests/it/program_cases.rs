//! What the table of `kubectl-config` does not say of this program: its own flags, and how it shows hints.

use crate::kubeconfigs::cases::user;
use crate::kubeconfigs::{Case, Identity, Program};

/// Asks about an object whose namespace the context decides.
pub(crate) fn cryptoctl() -> Program {
    let line = [env!("CARGO_BIN_EXE_cryptoctl"), "diff", "-f", "../set.yaml"];
    Program::Ours(line.map(str::to_owned).to_vec())
}

pub(crate) fn cases() -> Vec<Case> {
    let flag = |name, arguments| {
        Case::new(name)
            .kubeconfig(user("token: s3cret-token"))
            .arguments(arguments)
    };
    let somebody = Identity::bearer("s3cret-token");
    let plugin = |name, hint: &str| {
        Case::new(name).kubeconfig(user(&format!(
            "exec: {{command: absent-plugin, apiVersion: client.authentication.k8s.io/v1, \
             interactiveMode: Never, installHint: {hint}}}"
        )))
    };
    vec![
        flag("--disable-compression", "--disable-compression").reaches(somebody.clone()),
        flag("--request-timeout", "--request-timeout 30s").reaches(somebody.clone()),
        flag("--request-timeout in seconds", "--request-timeout 30").reaches(somebody.clone()),
        flag("--request-timeout without a limit", "--request-timeout 0").reaches(somebody),
        flag("--request-timeout that is none", "--request-timeout soon").refused(&["soon"]),
        plugin("a hint", "'get it from example.com'")
            .refused(&["absent-plugin", "get it from example.com"]),
        plugin("a hint with control characters", "\"get \\e[31mit\"")
            .refused(&["absent-plugin", "get "]),
    ]
}
