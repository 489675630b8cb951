//! The kubelet is stopped during a verification: that says nothing about the replicas.

use crate::api_server::sandbox;
use crate::harness::Namespace;
use crate::sets;

/// Restarts the kubelet however the test ends.
struct Away;

impl Away {
    fn kill() -> Self {
        sandbox(&["kill", "kubelet"]);
        Self
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        sandbox(&["start"]);
    }
}

#[test]
fn a_stopped_kubelet_says_nothing_about_the_replicas() {
    let namespace = Namespace::alone("kubelet");
    let set = sets::built_in(&namespace, 50);
    namespace.cryptoctl(&["up", "-f", &set]).expect(0);
    let verify = ["verify", "-f", &set, "--path", "/keys", "-o", "json"];
    let away = Away::kill();
    let report = namespace.cryptoctl(&verify).expect(5).report();
    for replica in report["replicas"].as_array().unwrap() {
        assert!(replica["sha256"].is_null(), "{replica}");
        assert!(!replica["error"].is_null(), "{replica}");
    }
    drop(away);
    namespace.eventually("both replicas answer again", || {
        let ended = namespace.cryptoctl(&verify);
        // A node that was away for long has its pods marked as not Ready, and that is all that is
        // wrong with them.
        if ended.code == 4 {
            for finding in ended.report()["findings"].as_array().unwrap() {
                let words = finding["message"].as_str().unwrap();
                assert!(words.contains("but is not Ready"), "{}", ended.stdout);
            }
        }
        (ended.code == 0).then_some(())
    });
}
