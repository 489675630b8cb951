//! What other managers do to an object, by the usual commands.

use serde_json::{Value, json};

use super::manifest::Manifest;
use crate::draw::Draw;

/// Managers that somebody names.
const RIVALS: [&str; 2] = ["rival", "helper"];

/// A command of kubectl.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) arguments: Vec<String>,
    /// The manifest for `-f`.
    pub(super) manifest: Option<Value>,
}

impl Change {
    /// Draws a command that changes an object.
    pub(super) fn drawn(draw: &mut Draw, manifest: &Manifest) -> Self {
        let commands = if manifest.is_workload() { 7 } else { 4 };
        let manager = draw.one(&RIVALS);
        match draw.below(commands) {
            0 => Self::words("label", manifest, draw.one(&LABELS)),
            1 => Self::words("annotate", manifest, draw.one(&ANNOTATIONS)),
            2 => patch(draw, manifest, manager),
            3 => apply(draw, manifest, manager),
            4 => Self::words("scale", manifest, draw.one(&SCALES)),
            5 => Self::words("set env", manifest, draw.one(&VARIABLES)),
            _ => Self::words("set image", manifest, draw.one(&["api=api:2", "api=api:3"])),
        }
    }

    fn words(verb: &str, manifest: &Manifest, more: &str) -> Self {
        let object = manifest.object();
        let words = verb
            .split(' ')
            .chain([object.as_str()])
            .chain(more.split(' '));
        Self {
            arguments: words.map(str::to_owned).collect(),
            manifest: None,
        }
    }
}

const LABELS: [&str; 4] = ["--overwrite team=b", "--overwrite team=c", "new=1", "tier-"];
const ANNOTATIONS: [&str; 4] = [
    "--overwrite note=y",
    "--overwrite note=z",
    "new=1",
    "owner-",
];
const SCALES: [&str; 3] = ["--replicas=0", "--replicas=1", "--replicas=2"];
const VARIABLES: [&str; 6] = [
    "A=2",
    "A=3",
    "B-",
    "NEW=1",
    "K=text",
    "--containers=api A=1",
];

/// A patch of a field: another value, or none.
fn patch(draw: &mut Draw, manifest: &Manifest, manager: &str) -> Change {
    let field = manifest.field(draw);
    let value = if field.path.is_field() && draw.percent(25) {
        Value::Null
    } else {
        field.other_value(draw, &manifest.value())
    };
    let mut body = json!({});
    field.path.put(&mut body, value);
    let body = body.to_string();
    let object = manifest.object();
    let arguments = ["patch", &object, "--field-manager", manager, "-p", &body];
    Change {
        arguments: arguments.map(str::to_owned).to_vec(),
        manifest: None,
    }
}

/// An apply of some fields, with values of their own or those of the manifest.
fn apply(draw: &mut Draw, manifest: &Manifest, manager: &str) -> Change {
    let mut part = manifest.identity();
    let ours = manifest.value();
    for _ in 0..=draw.below(5) {
        let field = manifest.field(draw);
        let same = field.path.get(&ours).filter(|_| draw.percent(50));
        let value = same.cloned();
        let value = value.unwrap_or_else(|| field.other_value(draw, &ours));
        field.path.put(&mut part, value);
    }
    let words = "apply --server-side --validate=ignore --force-conflicts --field-manager";
    Change {
        arguments: words
            .split(' ')
            .chain([manager])
            .map(str::to_owned)
            .collect(),
        manifest: Some(part),
    }
}
