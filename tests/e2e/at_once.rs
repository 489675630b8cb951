//! Two `up`s of one set at once, as two pipelines start them.

use crate::harness::{Ended, Namespace};
use crate::sets;

const OVERWRITTEN: &str = "another client (cryptoctl) has overwritten what this run wrote: `.spec.";

/// The number of replicas, and the time that the program takes for each step.
fn values(namespace: &Namespace) -> (i64, String) {
    let spec = namespace.object("statefulset/cryptoserver")["spec"].clone();
    let container = &spec["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap();
    let mut variables = variables.iter();
    let step = variables.find(|it| it["name"] == "FILESERVER_STEP_MILLISECONDS");
    let step = step.unwrap()["value"].as_str().unwrap();
    (spec["replicas"].as_i64().unwrap(), step.to_owned())
}

/// The same set with another time.
fn other(namespace: &Namespace, set: &str) -> String {
    let folder = namespace.folder().join("other");
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(set).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("value: \"50\"", "value: \"51\"");
        std::fs::write(folder.join(path.file_name().unwrap()), text).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

/// Runs both at the same time.
fn both(one: impl FnOnce() -> Ended + Send, two: impl FnOnce() -> Ended + Send) -> [Ended; 2] {
    std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(one), scope.spawn(two));
        [one.join().unwrap(), two.join().unwrap()]
    })
}

fn up(namespace: &Namespace, set: &str, flags: &[&str]) -> Ended {
    namespace.here(&[&["up", "-f", set], flags].concat())
}

#[test]
fn the_end_is_what_one_of_two_runs_wanted() {
    let namespace = Namespace::new("at-once");
    let one = sets::built_in(&namespace, 50);
    let two = other(&namespace, &one);
    // The first round creates everything, and the namespace as well.
    for inventory in [
        &[][..],
        &[],
        &["--inventory", "ours"],
        &["--inventory", "ours"],
    ] {
        let flags = |replicas| [&["--replicas", replicas], inventory].concat();
        let runs = [(one.as_str(), flags("2")), (two.as_str(), flags("3"))];
        let run = |index: usize| {
            let (set, flags) = &runs[index];
            up(&namespace, set, flags)
        };
        let ended = both(|| run(0), || run(1));
        let end = values(&namespace);
        let winner = match (end.0, end.1.as_str()) {
            (2, "50") => 0,
            (3, "51") => 1,
            _ => panic!("neither of both: {end:?}"),
        };
        for (index, ended) in ended.into_iter().enumerate() {
            let is_told = ended.stderr.contains(OVERWRITTEN);
            assert!(!is_told || index != winner, "{}", ended.stderr);
            ended.expect(if is_told { 5 } else { 0 });
        }
        // What is asked for next comes, whoever was first.
        run(1 - winner).expect(0);
        let (set, flags) = &runs[1 - winner];
        namespace
            .here(&[&["diff", "-f", set], &flags[..]].concat())
            .expect(0);
    }
    let down = ["down", "--inventory", "ours", "--yes", "--delete-data"];
    namespace.here(&down).expect(0);
}

#[test]
fn who_takes_a_field_and_who_leaves_it_do_not_mix() {
    let namespace = Namespace::new("at-once-take");
    let set = sets::built_in(&namespace, 50);
    let other = other(&namespace, &set);
    for _ in 0..3 {
        up(&namespace, &set, &["--force-conflicts"]).expect(0);
        namespace.kubectl(&["scale", "statefulset/cryptoserver", "--replicas", "3"]);
        let take = ["--take", ".spec.replicas"];
        let leave = ["--yield", ".spec.replicas"];
        let [taking, leaving] = both(
            || up(&namespace, &set, &take),
            || up(&namespace, &other, &leave),
        );
        taking.expect(0);
        // Who leaves the field has nobody to leave it to once it is taken.
        assert_eq!(values(&namespace), (2, "50".to_owned()));
        assert!([0, 1, 5].contains(&leaving.code), "{leaving:?}");
        up(&namespace, &set, &take).expect(0);
        namespace
            .here(&[&["diff", "-f", &set], &take[..]].concat())
            .expect(0);
    }
}
