//! The measurements, as data.

use serde::Serialize;

use crate::goal::Goal;
use crate::measure::Piece;
use crate::objects::{
    CHART, CROWD, Crowd, Folder, KEYS, PODS, PROBED, RELEASE, RELEASES, SIZES, THREE,
};
use crate::results::Figure;
use crate::stage::Programs;

/// The work whose figures over the number of objects form a curve.
pub(crate) const UP_MANY: &str = "up-many";
/// The measurement that does not compare several tools.
pub(crate) const RECOVERY: &str = "recovery";

/// The work with hundreds of replicas.
pub(crate) const SCALE: &str = "scale";
/// The long-running work: a few replicas are probed repeatedly.
pub(crate) const PROBING: &str = "probing";

/// The names for `--only`.
pub(crate) const NAMES: [&str; 9] = [
    "version",
    "up",
    "diff",
    "verify",
    UP_MANY,
    "diff-many",
    RECOVERY,
    SCALE,
    PROBING,
];

/// A measured program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tool {
    Cryptoctl,
    Kubectl,
    Helm,
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cryptoctl => "cryptoctl",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        }
    }

    /// The start of its user agent in the audit log.
    pub(crate) fn agent(self) -> &'static str {
        match self {
            Self::Cryptoctl => "cryptoctl/",
            Self::Kubectl => "kubectl/",
            Self::Helm => "Helm/",
        }
    }
}

/// One way to do a piece of work.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) tool: Tool,
    pub(crate) piece: Piece,
}

/// One piece of work, with its tools.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    /// One of [`NAMES`].
    pub(crate) name: &'static str,
    pub(crate) title: String,
    /// The number of objects, if works of one name differ in it.
    pub(crate) objects: Option<u32>,
    /// In the order in which they alternate.
    pub(crate) contenders: Vec<Contender>,
    pub(crate) goals: Vec<Goal>,
}

/// All measurements, in the order of the document.
pub(crate) fn works(programs: &Programs) -> Vec<Work> {
    let mut works = vec![
        version(programs),
        up(programs),
        diff(programs),
        verify(programs),
    ];
    works.extend(SIZES.iter().map(|objects| up_many(programs, *objects)));
    works.push(diff_many(programs));
    works
}

/// The measurements with the replicas of fake nodes, in the order of the document.
pub(crate) fn works_on_fake_nodes(programs: &Programs) -> Vec<Work> {
    vec![scale(programs), probing(programs)]
}

fn version(programs: &Programs) -> Work {
    Work {
        name: "version",
        title: "start, `--version`".to_owned(),
        objects: None,
        contenders: vec![
            programs.contender(Tool::Cryptoctl, &["--version"]),
            programs.contender(Tool::Kubectl, &["version", "--client"]),
            programs.contender(Tool::Helm, &["version"]),
        ],
        goals: vec![Goal::AtMost {
            figure: Figure::Wall,
            at_most: 0.005,
        }],
    }
}

fn up(programs: &Programs) -> Work {
    Work {
        name: "up",
        title: "three objects, nothing to change".to_owned(),
        objects: None,
        contenders: vec![
            programs.contender(Tool::Cryptoctl, &["up", "-f", THREE.path]),
            programs.contender(Tool::Kubectl, &["apply", "--server-side", "-f", THREE.path]),
            programs.contender(
                Tool::Helm,
                &["upgrade", RELEASE, CHART, "--namespace", RELEASES, "--wait"],
            ),
        ],
        goals: vec![
            share(Figure::Wall, 0.2),
            share(Figure::Memory, 0.35),
            Goal::AtMost {
                figure: Figure::Requests,
                at_most: 12.0,
            },
        ],
    }
}

fn diff(programs: &Programs) -> Work {
    Work {
        name: "diff",
        title: "diff of three objects, no difference".to_owned(),
        objects: None,
        contenders: diffs(programs, THREE.path),
        goals: vec![share(Figure::Wall, 0.5)],
    }
}

fn verify(programs: &Programs) -> Work {
    let forward = ["--namespace", THREE.namespace, "port-forward"];
    let piece = Piece::Forwards {
        kubectl: programs.words(Tool::Kubectl, &forward),
        pods: PODS.map(str::to_owned).to_vec(),
        path: KEYS.to_owned(),
    };
    Work {
        name: "verify",
        title: "two replicas verified".to_owned(),
        objects: None,
        contenders: vec![
            programs.contender(
                Tool::Cryptoctl,
                &["verify", "-f", THREE.path, "--path", KEYS],
            ),
            Contender {
                tool: Tool::Kubectl,
                piece,
            },
        ],
        goals: vec![share(Figure::Wall, 0.2)],
    }
}

fn up_many(programs: &Programs, objects: u32) -> Work {
    let file = Folder::many(objects);
    let goals = if objects == 1000 {
        vec![share(Figure::Wall, 0.4), memory()]
    } else {
        Vec::new()
    };
    Work {
        name: UP_MANY,
        title: format!("{objects} ConfigMaps in one file, nothing to change"),
        objects: Some(objects),
        contenders: vec![
            programs.contender(Tool::Cryptoctl, &["up", "-f", &file]),
            programs.contender(Tool::Kubectl, &["apply", "--server-side", "-f", &file]),
        ],
        goals,
    }
}

fn diff_many(programs: &Programs) -> Work {
    Work {
        name: "diff-many",
        title: "diff of 1000 ConfigMaps, no difference".to_owned(),
        objects: None,
        contenders: diffs(programs, &Folder::many(1000)),
        goals: vec![share(Figure::Wall, 0.3), memory()],
    }
}

fn scale(programs: &Programs) -> Work {
    let Crowd {
        namespace,
        replicas,
    } = CROWD;
    let verify = ["verify", "-n", namespace, Crowd::SET, "--path", KEYS];
    Work {
        name: SCALE,
        title: format!("{replicas} replicas verified"),
        objects: None,
        contenders: vec![programs.contender(Tool::Cryptoctl, &verify)],
        goals: vec![
            Goal::AtMost {
                figure: Figure::Wall,
                at_most: 3.0,
            },
            Goal::AtMost {
                figure: Figure::Memory,
                at_most: 50e6,
            },
        ],
    }
}

/// No fault, so that only the probing itself is measured.
fn probing(programs: &Programs) -> Work {
    let Crowd {
        namespace,
        replicas,
    } = PROBED;
    let chaos = ["chaos", "-n", namespace, Crowd::SET, "--path", KEYS];
    let control = ["--control", "--yes", "--for", "10s"];
    Work {
        name: PROBING,
        title: format!("{replicas} replicas probed every 100 ms for 10 s"),
        objects: None,
        contenders: vec![
            programs.contender(Tool::Cryptoctl, &[chaos.as_slice(), &control].concat()),
        ],
        goals: vec![
            Goal::AtMost {
                figure: Figure::CoreShare,
                at_most: 0.05,
            },
            Goal::AtMost {
                figure: Figure::Memory,
                at_most: 30e6,
            },
        ],
    }
}

fn diffs(programs: &Programs, path: &str) -> Vec<Contender> {
    vec![
        programs.contender(Tool::Cryptoctl, &["diff", "-f", path]),
        programs.contender(Tool::Kubectl, &["diff", "--server-side", "-f", path]),
    ]
}

fn share(figure: Figure, at_most: f64) -> Goal {
    Goal::Share {
        figure,
        of: Tool::Kubectl,
        at_most,
    }
}

fn memory() -> Goal {
    Goal::AtMost {
        figure: Figure::Memory,
        at_most: 40e6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_work_can_be_chosen_and_this_tool_does_all_of_it_first() {
        let programs = Programs::example();
        for work in [works(&programs), works_on_fake_nodes(&programs)].concat() {
            assert!(NAMES.contains(&work.name), "{}", work.name);
            let tools: Vec<Tool> = work.contenders.iter().map(|it| it.tool).collect();
            assert_eq!(tools[0], Tool::Cryptoctl, "{}", work.name);
        }
    }
}
