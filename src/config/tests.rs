use super::*;
use crate::cli::TargetArgs;
use crate::fault::Fault;

const WHOLE: &str = r#"
protected_contexts: [production, "prod-*"]
workload: statefulset/web
endpoints:
  - path: /keys
    port: 80
    status: 203
    equal: false
    non_empty: false
    match: '^([0-9]+\n){5}$'
    sha256: 0123456789012345678901234567890123456789012345678901234567890123
    content_type: text/plain
    largest_latency: 500ms
    ignore: ['"time":"[^"]*"']
  - path: health
verify: {concurrency: 4, largest_body: 1Mi, answer_time: 2s}
chaos:
  fault: force-delete
  select: random
  seed: 7
  repeat: 3
  pause: 0
  probe_interval: 20ms
  max_outage: 10s
  max_recovery: 1m30s
"#;

fn read(text: &str) -> Result<Config, Vec<String>> {
    parse(Path::new("cryptoctl.yaml"), text).map_err(|error| error.problems())
}

#[test]
fn every_key_is_read_as_what_it_is() {
    let config = read(WHOLE).unwrap();
    assert_eq!(config.file.as_deref(), Some(Path::new("cryptoctl.yaml")));
    assert_eq!(config.workload.as_deref(), Some("web"));
    let [keys, health] = config.endpoints.as_slice() else {
        panic!("{:?}", config.endpoints);
    };
    assert_eq!((keys.path.as_str(), keys.port), ("/keys", Some(80)));
    assert_eq!(keys.status, 203);
    assert!(!keys.equal && !keys.non_empty);
    assert!(keys.matches.as_ref().unwrap().is_match(b"1\n2\n3\n4\n5\n"));
    assert_eq!(
        keys.sha256.as_deref().map(str::len),
        Some(64),
        "digits alone are no number"
    );
    assert_eq!(keys.content_type.as_deref(), Some("text/plain"));
    assert_eq!(keys.largest_latency, Some(Duration::from_millis(500)));
    assert_eq!(keys.ignore.len(), 1);
    assert_eq!((health.path.as_str(), health.port), ("/health", None));
    assert_eq!(health.status, 200);
    assert!(health.equal && health.non_empty);
    assert_eq!(
        config.verify,
        VerifyConfig {
            concurrency: Some(4),
            largest_body: Some(1 << 20),
            answer_time: Some(Duration::from_secs(2)),
        }
    );
    assert_eq!(
        config.chaos,
        ExperimentArgs {
            fault: Some(Fault::ForceDelete),
            target: TargetArgs {
                random: true,
                seed: Some(7),
                ..TargetArgs::default()
            },
            repeat: Some(3),
            pause: Some(Duration::ZERO),
            probe_interval: Some(Duration::from_millis(20)),
            max_outage: Some(Duration::from_secs(10)),
            max_recovery: Some(Duration::from_secs(90)),
        }
    );
    let protected: Vec<(String, usize)> = config
        .protected_contexts
        .iter()
        .map(|entry| (entry.pattern.to_string(), entry.line))
        .collect();
    assert_eq!(
        protected,
        [("production".to_owned(), 2), ("prod-*".to_owned(), 2)]
    );
}

#[test]
fn keys_may_be_written_with_hyphens() {
    let config = read(
        "endpoints: [{path: /a, non-empty: false, content-type: a/b, largest-latency: 1s}]\n\
         chaos: {max-outage: 1s, fault: force_delete, select: all_in_turn}\n\
         protected-contexts: [a]\n",
    )
    .unwrap();
    assert!(!config.endpoints[0].non_empty);
    assert_eq!(config.chaos.max_outage, Some(Duration::from_secs(1)));
    assert!(config.chaos.target.all_in_turn);
    assert_eq!(config.protected_contexts.len(), 1);
}

#[test]
fn a_file_of_comments_says_nothing() {
    for text in ["", "# nothing\n", "\u{feff}# nothing\n", "{}", "---\n{}\n"] {
        let config = read(text).unwrap();
        assert!(config.endpoints.is_empty() && config.workload.is_none());
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_mistake_names_its_line_its_key_and_what_would_be_right() {
    let table = [
        (
            "workloads: statefulset/web",
            "1:1",
            "`workloads`",
            "did you mean `workload`?",
        ),
        (
            "nonsense: 1",
            "1:1",
            "`nonsense`",
            "the keys here are `protected_contexts`",
        ),
        ("workload: web", "1:11", "`workload`", "`statefulset/NAME`"),
        ("workload:", "1:9", "`workload`", "it is nothing"),
        ("chaos:", "1:6", "`chaos`", "must be a mapping"),
        ("- path: /a", "1:1", "`the file`", "must be a mapping"),
        ("endpoints:\n  path: /a", "2:3", "`endpoints`", "a list"),
        ("endpoints: []", "1:12", "`endpoints`", "`path`"),
        (
            "endpoints:\n- port: 80",
            "2:3",
            "`endpoints[0].path`",
            "missing",
        ),
        (
            "endpoints:\n- path:",
            "2:7",
            "`endpoints[0].path`",
            "such as `/keys`",
        ),
        (
            "endpoints:\n- path: /a b",
            "2:9",
            "`endpoints[0].path`",
            "%20",
        ),
        (
            "endpoints:\n- path: /a\n  port: 0",
            "3:9",
            "`endpoints[0].port`",
            "1 to 65535",
        ),
        (
            "endpoints:\n- path: /a\n  port: http",
            "3:9",
            "`endpoints[0].port`",
            "it is `http`",
        ),
        (
            "endpoints:\n- path: /a\n  status: 99",
            "3:11",
            "`endpoints[0].status`",
            "200 to 599",
        ),
        (
            "endpoints:\n- path: /a\n  equal: yes",
            "3:10",
            "`endpoints[0].equal`",
            "`true` or `false`",
        ),
        (
            "endpoints:\n- path: /a\n  match: '('",
            "3:10",
            "`endpoints[0].match`",
            "unclosed group",
        ),
        (
            "endpoints:\n- path: /a\n  match: ''",
            "3:10",
            "`endpoints[0].match`",
            "regular expression",
        ),
        (
            "endpoints:\n- path: /a\n  sha256: abc",
            "3:11",
            "`endpoints[0].sha256`",
            "64 hexadecimal",
        ),
        (
            "endpoints:\n- path: /a\n  content_type: text",
            "3:17",
            "content_type",
            "`text/plain`",
        ),
        (
            "endpoints:\n- path: /a\n  largest_latency: 0",
            "3:20",
            "largest_latency",
            "above zero",
        ),
        (
            "endpoints:\n- path: /a\n  ignore: x",
            "3:11",
            "`endpoints[0].ignore`",
            "a list",
        ),
        (
            "endpoints:\n- path: /a\n  ignore: [a, '[']",
            "3:15",
            "`endpoints[0].ignore[1]`",
            "unclosed",
        ),
        (
            "endpoints:\n- path: /a\n- path: a",
            "3:3",
            "`endpoints[1]`",
            "an entry above",
        ),
        (
            "endpoints:\n- path: /a\n  statuss: 200",
            "3:3",
            "`endpoints[0].statuss`",
            "did you mean `status`?",
        ),
        (
            "protected_contexts: production",
            "1:21",
            "`protected_contexts`",
            "a list",
        ),
        (
            "protected_contexts: ['']",
            "1:22",
            "`protected_contexts[0]`",
            "name of a context",
        ),
        (
            "verify: {concurrency: 0}",
            "1:23",
            "`verify.concurrency`",
            "from 1 to 1024",
        ),
        (
            "verify: {concurrency: '+4'}",
            "1:23",
            "`verify.concurrency`",
            "from 1 to 1024",
        ),
        (
            "verify: {largest_body: 16MB}",
            "1:24",
            "`verify.largest_body`",
            "`16Mi`",
        ),
        (
            "verify: {answer_time: soon}",
            "1:23",
            "`verify.answer_time`",
            "`90s`",
        ),
        (
            "chaos: {fault: explode}",
            "1:16",
            "`chaos.fault`",
            "`force-delete`",
        ),
        ("chaos: {repeat: 0}", "1:17", "`chaos.repeat`", "at least 1"),
        (
            "chaos: {repeat: -1}",
            "1:17",
            "`chaos.repeat`",
            "at least 1",
        ),
        (
            "chaos: {repeat: 1, repeat: 2}",
            "1:20",
            "`chaos.repeat`",
            "already given in line 1",
        ),
        ("chaos: {pause: -1s}", "1:16", "`chaos.pause`", "a duration"),
        (
            "chaos: {probe_interval: 10ms}",
            "1:25",
            "`chaos.probe_interval`",
            "at least `20ms`",
        ),
        (
            "chaos: {select: one}",
            "1:17",
            "`chaos.select`",
            "`all-in-turn` or `random`",
        ),
        (
            "chaos: {seed: 7}",
            "1:15",
            "`chaos.seed`",
            "`chaos.select: random`",
        ),
        (
            "chaos: {pod: a-0, select: random}",
            "1:27",
            "`chaos.select`",
            "`chaos.pod`",
        ),
        (
            "chaos: {fault: scale, pod: a-0}",
            "1:28",
            "`chaos.pod`",
            "affects every pod",
        ),
        ("workload: !x sts/a", "1:", "tags", "leave this one out"),
        (
            "a: &x 1\nworkload: *x",
            "2:11",
            "aliases",
            "repeat the value",
        ),
        ("{}\n---\n{}", "2:1", "second document", "only one"),
        ("workload: [", "1:", "not YAML", ""),
        ("? [a]\n: b", "1:3", "key", "single word"),
    ];
    let mut lacking = Vec::new();
    for (text, place, key, right) in table {
        let problems = read(text).expect_err(text);
        for words in [&format!("cryptoctl.yaml:{place}"), key, right] {
            if !problems[0].contains(words) {
                lacking.push(format!("{text}\n`{words}` is not in: {}", problems[0]));
            }
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n\n"));
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_their_lines() {
    let problems = read("chaos: {repeat: 0}\nworkload: web\n[a]: b\nnonsense: 1\n").unwrap_err();
    let lines: Vec<&str> = problems
        .iter()
        .map(|problem| problem.split(':').nth(1).unwrap())
        .collect();
    assert_eq!(lines, ["1", "2", "3", "4"], "{problems:?}");
}

#[test]
fn only_a_file_that_was_named_has_to_exist() {
    let folder = tempfile::tempdir().unwrap();
    assert!(load(None, folder.path()).unwrap().file.is_none());
    let absent = folder.path().join("absent.yaml");
    let error = load(Some(&absent), folder.path()).unwrap_err();
    assert!(error.to_string().contains("absent.yaml"), "{error}");

    std::fs::write(folder.path().join(FILE_NAME), "workload: sts/a").unwrap();
    let found = load(None, folder.path()).unwrap();
    assert_eq!(found.workload.as_deref(), Some("a"));
    assert_eq!(found.file.as_deref(), Some(Path::new(FILE_NAME)));
    let other = folder.path().join("other.yaml");
    std::fs::write(&other, "workload: sts/b").unwrap();
    let named = load(Some(&other), folder.path()).unwrap();
    assert_eq!(named.workload.as_deref(), Some("b"));
}

#[test]
fn what_cannot_be_a_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.yaml");
    for bytes in [vec![0xC3, 0x28], vec![b'#'; (1 << 20) + 1]] {
        std::fs::write(&file, bytes).unwrap();
        let error = load(Some(&file), folder.path()).unwrap_err();
        assert!(error.to_string().contains("c.yaml"), "{error}");
    }
    assert!(
        load(Some(folder.path()), folder.path()).is_err(),
        "a folder"
    );
}
