//! One random case on both sides.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::compare;
use super::conflicts::{self, Conflict};
use super::differences;
use super::manifest::Manifest;
use super::others::Change;
use super::path::Path;
use crate::draw::Draw;
use crate::harness::{Ended, Namespace};

/// How often others change the object before the manifest is applied again.
const ROUNDS: usize = 2;

/// An object that `cryptoctl` writes on one side and kubectl on the other.
pub(super) struct Case<'a> {
    ours: &'a Namespace,
    theirs: &'a Namespace,
    draw: Draw,
    manifest: Manifest,
    said: String,
}

/// What is wrong.
type Wrong = String;

impl<'a> Case<'a> {
    pub(super) fn new(seed: u64, ours: &'a Namespace, theirs: &'a Namespace) -> Self {
        let mut draw = Draw::seeded(seed);
        let manifest = Manifest::drawn(&mut draw, format!("case-{seed}"));
        Self {
            ours,
            theirs,
            draw,
            manifest,
            said: String::new(),
        }
    }

    /// Everything that was done.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    fn say(&mut self, text: &str) {
        writeln!(self.said, "{text}").unwrap();
    }

    /// Plays it to the end, or until the sides differ.
    pub(super) fn play(&mut self) -> Result<(), Wrong> {
        self.apply()?;
        for _ in 0..ROUNDS {
            for _ in 0..=self.draw.below(2) {
                let change = Change::drawn(&mut self.draw, &self.manifest);
                self.change(&change)?;
            }
            self.manifest.change(&mut self.draw);
            self.apply()?;
        }
        Ok(())
    }

    /// Lets another manager do the same on both sides.
    fn change(&mut self, change: &Change) -> Result<(), Wrong> {
        let mut arguments: Vec<&str> = change.arguments.iter().map(String::as_str).collect();
        self.say(&format!("kubectl {}", arguments.join(" ")));
        let file = change
            .manifest
            .as_ref()
            .map(|manifest| self.file("other", manifest));
        if let Some(file) = &file {
            self.say(&change.manifest.as_ref().unwrap().to_string());
            arguments.extend(["-f", file]);
        }
        let [ours, theirs] = [self.ours, self.theirs].map(|side| kubectl(side, &arguments));
        if ours.code == theirs.code {
            Ok(())
        } else {
            Err(format!("only one side accepts this: {ours:?} {theirs:?}"))
        }
    }

    /// Writes the manifest on both sides.
    fn apply(&mut self) -> Result<(), Wrong> {
        let manifest = self.manifest.value();
        self.say(&format!("apply {manifest}"));
        let ours = self.file("ours", &manifest);
        let mut theirs = manifest;
        differences::string_data_is_data(&mut theirs);
        let mut choices = Vec::new();
        let applied = self.their_apply(&theirs, &[]);
        if applied.code != 0 {
            let reported = conflicts::of_kubectl(&applied.stderr);
            self.say(&format!("conflicts {reported:?}"));
            let dry = ["--force-conflicts", "--dry-run=server", "-o", "json"];
            let forced = self.their_apply(&theirs, &dry);
            if reported.is_empty() || forced.code != 0 {
                return expect(self.up(&ours, &[]), 1).map(drop);
            }
            let planned: Value = serde_json::from_str(&forced.stdout).unwrap();
            choices = self.settle(&ours, &reported, &planned, &mut theirs)?;
            expect(self.their_apply(&theirs, &["--force-conflicts"]), 0)?;
        }
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        self.say(&format!("cryptoctl up {}", choices.join(" ")));
        expect(self.up(&ours, &choices), 0)?;
        self.compare()?;
        self.is_settled(&ours, &choices)
    }

    fn up(&self, file: &str, choices: &[&str]) -> Ended {
        let up = ["up", "--no-wait", "-f", file];
        self.ours.here(&[&up[..], choices].concat())
    }

    /// Once more, it has nothing to do.
    fn is_settled(&self, file: &str, choices: &[&str]) -> Result<(), Wrong> {
        let diff = ["-o", "json", "diff", "-f", file];
        let again = expect(self.ours.here(&[&diff[..], choices].concat()), 0)?;
        match &again.report()["objects"][0]["action"] {
            action if action == "keep" => Ok(()),
            action => Err(format!("the next `up` would {action}")),
        }
    }

    /// Checks that `cryptoctl` names the conflicts of kubectl, except for fields that would stay as they are, and
    /// decides about them: returns the flags, and makes of the manifest what kubectl gets for them.
    fn settle(
        &mut self,
        file: &str,
        reported: &BTreeSet<Conflict>,
        planned: &Value,
        theirs: &mut Value,
    ) -> Result<Vec<String>, Wrong> {
        let (_, live) = self.objects();
        let is_equal = |(field, _): &&Conflict| {
            let path = Path::new(field);
            path.get(&live) == path.get(planned)
        };
        let (equal, open): (Vec<&Conflict>, Vec<&Conflict>) = reported.iter().partition(is_equal);
        let open: BTreeSet<Conflict> = open.into_iter().cloned().collect();
        let shown = self.ours.here(&["-o", "json", "diff", "-f", file]);
        let found = conflicts::of_report(&shown.report());
        if found != open {
            return Err(format!("cryptoctl names {found:?}, not {open:?}"));
        }
        let equal: Vec<Path> = equal.iter().map(|(field, _)| Path::new(field)).collect();
        differences::equal_fields_are_shared(theirs, &equal, &live);
        if open.is_empty() {
            return Ok(Vec::new());
        }
        expect(self.up(file, &[]), 1)?;
        Ok(self.choose(&open, theirs))
    }

    /// Draws what to do about the conflicts: the flags, and what kubectl gets for them.
    fn choose(&mut self, found: &BTreeSet<Conflict>, theirs: &mut Value) -> Vec<String> {
        if self.draw.percent(25) {
            return vec!["--force-conflicts".to_owned()];
        }
        let mut yielded = Vec::new();
        let mut choices = Vec::new();
        let fields: BTreeSet<&String> = found.iter().map(|(field, _)| field).collect();
        for field in fields {
            let pattern = format!("{}:{field}", self.manifest.object());
            let is_taken = self.draw.percent(50);
            choices.push(if is_taken { "--take" } else { "--yield" }.to_owned());
            choices.push(pattern);
            if !is_taken {
                yielded.push(Path::new(field));
            }
        }
        differences::yielded_fields_are_left_out(theirs, &yielded);
        choices
    }

    fn compare(&self) -> Result<(), Wrong> {
        let (ours, theirs) = self.objects();
        let difference = compare::difference(&ours, &theirs);
        if difference.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the objects differ (- kubectl, + cryptoctl):\n{difference}"
        ))
    }

    /// The live objects of both sides.
    fn objects(&self) -> (Value, Value) {
        let named = format!("metadata.name={}", self.manifest.name);
        let get = ["get", self.manifest.kind, "-A", "--field-selector", &named];
        let shown = ["-o", "json", "--show-managed-fields"];
        let text = self.ours.kubectl(&[&get[..], &shown].concat());
        let list: Value = serde_json::from_str(&text).unwrap();
        let of = |side: &Namespace| {
            let mut items = list["items"].as_array().unwrap().iter();
            let object = items.find(|item| item["metadata"]["namespace"] == side.name);
            object.unwrap().clone()
        };
        (of(self.ours), of(self.theirs))
    }

    fn their_apply(&self, manifest: &Value, more: &[&str]) -> Ended {
        let file = self.file("theirs", manifest);
        // Every field exists: to look each of them up would be half of the work.
        let apply = ["apply", "--server-side", "--validate=ignore", "-f", &file];
        let ours = "--field-manager=cryptoctl";
        kubectl(self.theirs, &[&apply[..], &[ours], more].concat())
    }

    fn file(&self, name: &str, manifest: &Value) -> String {
        let name = format!("{}-{name}.json", self.manifest.name);
        let path = self.ours.file(&name, &manifest.to_string());
        path.to_str().unwrap().to_owned()
    }
}

fn kubectl(side: &Namespace, arguments: &[&str]) -> Ended {
    Ended::of(&side.try_kubectl(arguments))
}

fn expect(ended: Ended, code: i32) -> Result<Ended, Wrong> {
    if ended.code == code {
        return Ok(ended);
    }
    let Ended { stdout, stderr, .. } = &ended;
    Err(format!(
        "exit code {}, not {code}:\n{stdout}{stderr}",
        ended.code
    ))
}
