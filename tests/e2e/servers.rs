//! Real HTTP servers in pods: their answers are read as other clients read them, and a connection
//! that has answered once still counts.

use serde_json::Value;

use crate::harness::{Ended, Namespace};

/// Two replicas whose server is a shell script, one process for each connection.
fn serve(namespace: &Namespace, script: &str, command: &str) {
    let script: String = script.lines().map(|line| format!("    {line}\n")).collect();
    let set = format!(
        r#"
apiVersion: v1
kind: ConfigMap
metadata: {{name: script}}
data:
  answer.sh: |
{script}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: web
  replicas: 2
  podManagementPolicy: Parallel
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: quay.io/k8sexercices/fileserver:v1.0
        command: {command}
        ports: [{{containerPort: 8080}}]
        volumeMounts: [{{name: script, mountPath: /script}}]
      volumes:
      - name: script
        configMap: {{name: script, defaultMode: 0555}}
"#
    );
    let file = namespace.file("web.yaml", &set);
    namespace
        .here(&["up", "-f", file.to_str().unwrap()])
        .expect(0);
}

const NETCAT: &str = r#"[busybox, nc, -ll, -p, "8080", -e, /script/answer.sh]"#;

fn verify(namespace: &Namespace, path: &str) -> Ended {
    namespace.here(&["-o", "json", "verify", "statefulset/web", "--path", path])
}

fn sentences(report: &Value) -> String {
    let messages = report["findings"].as_array().into_iter().flatten();
    let reasons = report["reasons"].as_array().into_iter().flatten();
    let all = messages.map(|finding| &finding["message"]).chain(reasons);
    all.filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

const KINDS: &str = r#"#!/bin/bash
IFS=' ' read -r _ path _
while IFS= read -r line && [[ ${line%$'\r'} ]]; do :; done
head() { printf 'HTTP/1.1 200 OK\r\n'; printf '%s\r\n' "$@" ''; }
body() { printf 'a\nb\nc\n'; }
case $path in
/bare-lines) printf 'HTTP/1.1 200 OK\nContent-Length: 6\n\n'; body ;;
/interim) printf 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n'; head 'Content-Length: 6'; body ;;
/many) lines=(); for i in {1..150}; do lines+=("X-$i: $i"); done; head "${lines[@]}" 'Content-Length: 6'; body ;;
/both) head 'Content-Length: 2' 'Transfer-Encoding: chunked'; printf '6\r\na\nb\nc\n\r\n0\r\n\r\n' ;;
/no-length) printf 'HTTP/1.0 200 OK\r\n\r\n'; body ;;
/broken) head 'Content-Length: 9'; body ;;
/contradictory) head 'Content-Length: 6' 'Content-Length: 9'; body ;;
/old) body ;;
/alert) printf '\x15\x03\x01\x00\x02\x02\x46' ;;
/wants-tls) printf 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n' ;;
/moved) printf 'HTTP/1.1 307 Temporary Redirect\r\nLocation: https://example.com/\r\nContent-Length: 0\r\n\r\n' ;;
/unchanged) printf 'HTTP/1.1 304 Not Modified\r\n\r\n' ;;
/failed) printf 'HTTP/1.1 500 Internal Server Error\r\n\r\n'; body ;;
/differs) head 'Content-Length: 9'; [[ $HOSTNAME == *-1 ]] && printf 'x\nb' || printf 'a\nb\nc\nd' ;;
/packed) body | gzip -n > /tmp/packed; printf "\\x0${HOSTNAME##*-}" | dd of=/tmp/packed bs=1 seek=4 conv=notrunc 2> /dev/null
  head 'Content-Encoding: gzip' "Content-Length: $(stat -c %s /tmp/packed)"; cat /tmp/packed ;;
esac"#;

#[test]
fn answers_are_read_as_clients_of_the_servers_read_them() {
    let namespace = Namespace::new("servers");
    serve(&namespace, KINDS, NETCAT);
    let table = [
        ("/bare-lines", 0, ""),
        ("/interim", 0, ""),
        ("/many", 0, ""),
        ("/both", 0, ""),
        ("/no-length", 5, "neither a length nor chunks"),
        ("/broken", 5, "before the answer was complete"),
        ("/contradictory", 5, "its head is not valid HTTP"),
        ("/old", 5, "what came back is not HTTP"),
        ("/alert", 5, "not HTTP: the port speaks TLS"),
        ("/wants-tls", 4, "its text mentions TLS"),
        ("/moved", 4, "a redirect to `https://example.com/`"),
        ("/unchanged", 4, "status 304 instead of 200"),
        ("/failed", 4, "status 500 instead of 200"),
        ("/differs", 4, "its byte at offset 0 differs from the one"),
        (
            "/packed",
            4,
            "`Content-Encoding: gzip` are compared without decoding: the text is the same",
        ),
    ];
    for (path, code, words) in table {
        let report = verify(&namespace, path).expect(code).report();
        let said = sentences(&report);
        assert!(said.contains(words), "{path}: {words} in {said}");
        for replica in report["replicas"].as_array().unwrap() {
            assert_eq!(replica["repeats"], 0, "{path}: {replica:#}");
        }
    }
}

/// Gives the right answer once on every connection, and then what the path says.
const SECOND: &str = r#"#!/bin/bash
head() { printf 'HTTP/1.1 200 OK\r\n'; printf '%s\r\n' "$@" ''; }
asked=0
while IFS=' ' read -r _ path _; do
  while IFS= read -r line && [[ ${line%$'\r'} ]]; do :; done
  if ((asked++ == 0)); then head 'Content-Length: 6'; printf 'a\nb\nc\n'; continue; fi
  case $path in
  /breaks-off) head 'Content-Length: 6'; printf 'a\nb'; exit ;;
  /flood) head 'Content-Length: 2097152'; dd if=/dev/zero bs=65536 count=32 2> /dev/null ;;
  /failed) printf 'HTTP/1.1 500 Internal Server Error\r\n\r\nno'; exit ;;
  /hangs-up) exit ;;
  esac
done"#;

#[test]
fn a_later_answer_on_a_kept_connection_is_an_answer() {
    let namespace = Namespace::new("kept");
    serve(&namespace, SECOND, NETCAT);
    let control = |path: &str| {
        let flags = ["--control", "--for", "3s", "--path", path, "--yes"];
        namespace.here(&[&["-o", "json", "chaos", "statefulset/web"], &flags[..]].concat())
    };
    let table = [
        ("/flood", "wrong", 4, "answered with different content"),
        ("/failed", "failing", 4, "without any fault"),
        (
            "/hangs-up",
            "reconnected",
            0,
            "clients that keep their connections would have seen",
        ),
    ];
    for (path, counted, code, words) in table {
        verify(&namespace, path).expect(0);
        let count = |report: &Value, name: &str| -> u64 {
            let replicas = report["availability"]["replicas"].as_array().unwrap();
            replicas.iter().filter_map(|it| it[name].as_u64()).sum()
        };
        // A busy machine sometimes answers too late, which is a separate disturbance.
        let ended = namespace.eventually(&format!("every answer of {path} is in time"), || {
            let ended = control(path);
            let report = ended.report();
            let late = count(&report, "silent") + count(&report, "unknown");
            let is_in_time = late == 0 && count(&report, counted) > 0;
            is_in_time.then_some(ended)
        });
        let report = ended.expect(code).report();
        let said = sentences(&report);
        assert!(said.contains(words), "{path}: {words} in {said}");
        for name in ["wrong", "failing"] {
            assert_eq!(
                count(&report, name) > 0,
                name == counted,
                "{path}: {name} in {report:#}"
            );
        }
    }
    // The end of the connection comes within the time of a probe, or after it: right it is neither way.
    verify(&namespace, "/breaks-off").expect(0);
    let report = control("/breaks-off").report();
    let said = sentences(&report);
    let is_told = said.contains("broke off") || said.contains("without any fault");
    assert!(is_told, "{report:#}");
    assert_ne!(report["verdict"], "undisturbed", "{report:#}");
    // None of these has another problem.
    let flags = ["--path", "/failed", "--yes"];
    let broken = [&["-o", "json", "chaos", "statefulset/web"], &flags[..]].concat();
    let report = namespace.here(&broken).report();
    assert_eq!(report["verdict"], "refused", "{report:#}");
}

#[test]
fn a_loopback_server_is_right_through_a_forward_and_unknown_through_the_proxy() {
    let namespace = Namespace::new("loopback");
    let command = r#"[bash, -c, 'mkdir /www && echo a > /www/keys && exec busybox httpd -f -p 127.0.0.1:8080 -h /www']"#;
    serve(&namespace, "", command);
    verify(&namespace, "/keys").expect(0);
    namespace.kubectl(&["create", "serviceaccount", "reader"]);
    let reads = "--resource=statefulsets.apps,pods,pods/proxy,controllerrevisions.apps";
    namespace.kubectl(&["create", "role", "reader", "--verb=get,list,watch", reads]);
    let bound = format!("--serviceaccount={}:reader", namespace.name);
    namespace.kubectl(&["create", "rolebinding", "reader", "--role=reader", &bound]);
    let user = format!("system:serviceaccount:{}:reader", namespace.name);
    namespace.until_granted(&user, &["get", "statefulsets.apps"]);
    let asked = ["--as", &user, "-o", "json", "verify", "statefulset/web"];
    let ended = namespace.here(&[&asked[..], &["--path", "/keys"]].concat());
    let report = ended.expect(5).report();
    assert_eq!(
        report["replicas"][0]["transport"], "pod_proxy",
        "{report:#}"
    );
    let said = sentences(&report);
    assert!(
        said.contains("a server that listens only on its loopback address"),
        "{said}"
    );
}
