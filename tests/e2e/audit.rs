//! The API server's audit log of a run.

use std::path::Path;

use crate::harness::{Namespace, variable};
use crate::sets;

/// The audit log's lines that name the namespace, rotated files included.
fn user_agents(namespace: &str) -> Vec<String> {
    let kubeconfig = variable("CRYPTOCTL_SANDBOX_KUBECONFIG");
    let logs = Path::new(&kubeconfig).parent().unwrap().join("logs");
    std::fs::read_dir(logs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("/audit"))
        .flat_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let lines: Vec<String> = text
                .lines()
                .filter(|line| line.contains(namespace))
                .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
                .filter_map(|entry| entry["userAgent"].as_str().map(str::to_owned))
                .collect();
            lines
        })
        .collect()
}

#[test]
fn the_audit_log_tells_who_did_what() {
    let namespace = Namespace::new("audit");
    let set = sets::built_in(&namespace, 50);
    namespace
        .cryptoctl(&["up", "-f", &set, "--no-wait"])
        .expect(0);
    namespace.cryptoctl(&["diff", "-f", &set]).expect(0);
    for command in ["up", "diff"] {
        let wanted = format!("cryptoctl/{} ({command})", env!("CARGO_PKG_VERSION"));
        // The log is written in batches.
        namespace.eventually(&wanted, || {
            user_agents(&namespace.name).contains(&wanted).then_some(())
        });
    }
}
