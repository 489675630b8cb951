//! The keys, their valid values, and which keys contradict each other.

use http::StatusCode;
use kubectl_manifest::{Located, Written};
use regex::bytes::Regex;

use super::error::ConfigProblem;
use super::pattern::NamePattern;
use super::read::{Fields, Reader};
use super::{Config, ProtectedContext, VerifyConfig};
use crate::cli::{ExperimentArgs, TargetArgs};
use crate::expectation::Expectation;
use crate::fault::Fault;
use crate::fields::{FieldPattern, FormerManager};
use crate::values;

const TOP: [&str; 10] = [
    "protected_contexts",
    "inventory",
    "take",
    "yield",
    "take_over",
    "roll_on_config_change",
    "workload",
    "endpoints",
    "verify",
    "chaos",
];
const ENDPOINT: [&str; 10] = [
    "path",
    "port",
    "status",
    "equal",
    "non_empty",
    "match",
    "sha256",
    "content_type",
    "largest_latency",
    "ignore",
];
const VERIFY: [&str; 3] = ["concurrency", "largest_body", "answer_time"];
const CHAOS: [&str; 9] = [
    "fault",
    "pod",
    "select",
    "seed",
    "repeat",
    "pause",
    "probe_interval",
    "max_outage",
    "max_recovery",
];

/// Every key.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    [&TOP[..], &ENDPOINT, &VERIFY, &CHAOS]
        .into_iter()
        .flatten()
        .copied()
}

/// With more replicas at once, the result would mostly measure this machine.
const MOST_AT_ONCE: usize = 1024;

/// The contents of a document.
pub(super) fn config(root: &Located) -> Result<Config, Vec<ConfigProblem>> {
    let mut reader = Reader::default();
    let top = reader.mapping(root, "", &TOP);
    let config = Config {
        file: None,
        protected_contexts: protected_contexts(&mut reader, &top),
        inventory: reader.value(&top, "inventory", values::object_name),
        take: fields(&mut reader, &top, "take"),
        yielded: fields(&mut reader, &top, "yield"),
        take_over: managers(&mut reader, &top),
        roll_on_config_change: reader.value(&top, "roll_on_config_change", truth),
        workload: reader.value(&top, "workload", values::stateful_set),
        endpoints: endpoints(&mut reader, &top),
        verify: verify(&mut reader, &top),
        chaos: chaos(&mut reader, &top),
    };
    let problems = reader.problems();
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems)
    }
}

fn protected_contexts(reader: &mut Reader, top: &Fields<'_>) -> Vec<ProtectedContext> {
    let items = reader.list(top, "protected_contexts");
    items
        .into_iter()
        .filter_map(|(path, node)| {
            Some(ProtectedContext {
                pattern: reader.parsed(node, &path, NamePattern::parse)?,
                line: node.line,
            })
        })
        .collect()
}

fn fields(reader: &mut Reader, top: &Fields<'_>, key: &'static str) -> Vec<FieldPattern> {
    let items = reader.list(top, key);
    items
        .into_iter()
        .filter_map(|(path, node)| reader.parsed(node, &path, field))
        .collect()
}

fn managers(reader: &mut Reader, top: &Fields<'_>) -> Vec<FormerManager> {
    let items = reader.list(top, "take_over");
    items
        .into_iter()
        .filter_map(|(path, node)| reader.parsed(node, &path, manager))
        .collect()
}

fn manager(text: &str) -> Result<FormerManager, String> {
    text.parse()
        .map_err(|reason| format!("the name of a field manager, such as `helm` ({reason})"))
}

fn field(text: &str) -> Result<FieldPattern, String> {
    text.parse()
        .map_err(|reason| format!("a field, such as `'*:.spec.replicas'` ({reason})"))
}

fn endpoints(reader: &mut Reader, top: &Fields<'_>) -> Vec<Expectation> {
    let mut endpoints: Vec<Expectation> = Vec::new();
    let items = reader.list(top, "endpoints");
    if let (true, Some(node)) = (items.is_empty(), top.get("endpoints")) {
        let is_empty_list = matches!(&node.value, Written::Sequence(_));
        if is_empty_list {
            reader.note(
                node,
                "`endpoints` is empty; add an entry with a `path`, or leave it out",
            );
        }
    }
    for (path, node) in items {
        let Some(endpoint) = endpoint(reader, node, &path) else {
            continue;
        };
        let is_known = endpoints
            .iter()
            .any(|other| (&other.path, other.port) == (&endpoint.path, endpoint.port));
        if is_known {
            reader.note(
                node,
                format!("`{path}` has the same path and port as an entry above; merge the two"),
            );
        }
        endpoints.push(endpoint);
    }
    endpoints
}

fn endpoint(reader: &mut Reader, node: &Located, path: &str) -> Option<Expectation> {
    let fields = reader.mapping(node, path, &ENDPOINT);
    let request_path = reader.required(&fields, "path", |text| match text {
        "" => Err("a path that every replica answers, such as `/keys`".to_owned()),
        text => values::request_path(text),
    });
    // Its defaults apply to every missing key.
    let mut expectation = Expectation::of_path(request_path.clone().unwrap_or_default());
    expectation.port = reader.value(&fields, "port", port);
    if let Some(status) = reader.value(&fields, "status", status) {
        expectation.status = status;
    }
    if let Some(equal) = reader.value(&fields, "equal", truth) {
        expectation.equal = equal;
    }
    if let Some(non_empty) = reader.value(&fields, "non_empty", truth) {
        expectation.non_empty = non_empty;
    }
    expectation.matches = reader.value(&fields, "match", regex);
    expectation.sha256 = reader.value(&fields, "sha256", values::sha256);
    expectation.content_type = reader.value(&fields, "content_type", content_type);
    expectation.largest_latency =
        reader.value(&fields, "largest_latency", values::positive_duration);
    let ignored = reader.list(&fields, "ignore");
    expectation.ignore = ignored
        .into_iter()
        .filter_map(|(path, node)| reader.parsed(node, &path, regex))
        .collect();
    request_path.map(|_| expectation)
}

fn verify(reader: &mut Reader, top: &Fields<'_>) -> VerifyConfig {
    let Some(fields) = reader.section(top, "verify", &VERIFY) else {
        return VerifyConfig::default();
    };
    VerifyConfig {
        concurrency: reader.value(&fields, "concurrency", |text| {
            let number: Option<usize> = number(text);
            number
                .filter(|number| (1..=MOST_AT_ONCE).contains(number))
                .ok_or_else(|| format!("a number from 1 to {MOST_AT_ONCE}, such as `16`"))
        }),
        largest_body: reader.value(&fields, "largest_body", values::size),
        answer_time: reader.value(&fields, "answer_time", values::positive_duration),
    }
}

fn chaos(reader: &mut Reader, top: &Fields<'_>) -> ExperimentArgs {
    let Some(fields) = reader.section(top, "chaos", &CHAOS) else {
        return ExperimentArgs::default();
    };
    let fault = reader.value(&fields, "fault", fault);
    let target = target(reader, &fields);
    if let Some(fault) = fault.filter(|fault| fault.targets_workload() && target.is_given()) {
        let key = if fields.get("pod").is_some() {
            "pod"
        } else {
            "select"
        };
        contradiction(
            reader,
            &fields,
            key,
            &format!("`{}: {fault}` affects every pod", fields.path("fault")),
        );
    }
    ExperimentArgs {
        fault,
        target,
        repeat: reader.value(&fields, "repeat", |text| {
            let number: Option<u32> = number(text);
            number
                .filter(|number| *number > 0)
                .ok_or_else(|| "a number of at least 1".to_owned())
        }),
        pause: reader.value(&fields, "pause", values::duration),
        probe_interval: reader.value(&fields, "probe_interval", values::probe_interval),
        max_outage: reader.value(&fields, "max_outage", values::positive_duration),
        max_recovery: reader.value(&fields, "max_recovery", values::positive_duration),
    }
}

/// The rule that chooses the targets: `pod`, `select`, or neither.
fn target(reader: &mut Reader, fields: &Fields<'_>) -> TargetArgs {
    let pod = reader.value(fields, "pod", |text| match text {
        "" => Err("the name of a pod, such as `web-0`".to_owned()),
        name => Ok(name.to_owned()),
    });
    let seed = reader.value(fields, "seed", |text| {
        number::<u64>(text).ok_or_else(|| "a whole number, such as `7`".to_owned())
    });
    let select = reader.value(fields, "select", |text| match text {
        "all-in-turn" | "all_in_turn" => Ok(TargetArgs {
            all_in_turn: true,
            ..TargetArgs::default()
        }),
        "random" => Ok(TargetArgs {
            random: true,
            seed,
            ..TargetArgs::default()
        }),
        _ => Err("`all-in-turn` or `random`".to_owned()),
    });
    if fields.get("pod").is_some() && fields.get("select").is_some() {
        let reason = format!("`{}` already selects the target", fields.path("pod"));
        contradiction(reader, fields, "select", &reason);
    }
    if fields.get("seed").is_some() && !select.as_ref().is_some_and(|target| target.random) {
        let reason = format!("it needs `{}: random`", fields.path("select"));
        contradiction(reader, fields, "seed", &reason);
    }
    select.unwrap_or(TargetArgs {
        pod,
        ..TargetArgs::default()
    })
}

fn contradiction(reader: &mut Reader, fields: &Fields<'_>, key: &'static str, reason: &str) {
    if let Some(node) = fields.get(key) {
        let message = format!("`{}` cannot be used here: {reason}", fields.path(key));
        reader.note(node, message);
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn port(text: &str) -> Result<u16, String> {
    number(text)
        .filter(|port| *port > 0)
        .ok_or_else(|| "a port from 1 to 65535".to_owned())
}

fn status(text: &str) -> Result<StatusCode, String> {
    number(text)
        .filter(|code| (200..=599).contains(code))
        .and_then(|code| StatusCode::from_u16(code).ok())
        .ok_or_else(|| "an HTTP status from 200 to 599, such as `200`".to_owned())
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("`true` or `false`".to_owned()),
    }
}

fn regex(text: &str) -> Result<Regex, String> {
    const EXPECTED: &str = "a regular expression";
    if text.is_empty() {
        return Err(EXPECTED.to_owned());
    }
    Regex::new(text).map_err(|error| {
        // The library draws a picture of several lines; its last line is the reason.
        let picture = error.to_string();
        let reason = picture.lines().last().unwrap_or_default();
        let reason = reason.trim().trim_start_matches("error: ");
        format!("{EXPECTED} ({reason})")
    })
}

/// A media type, with optional parameters.
fn content_type(text: &str) -> Result<String, String> {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    match essence.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) => Ok(text.to_owned()),
        _ => Err("a media type, such as `text/plain`".to_owned()),
    }
}

fn fault(text: &str) -> Result<Fault, String> {
    let name = text.replace('_', "-");
    let found = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    found.ok_or_else(|| {
        let names = Fault::ALL.map(|fault| format!("`{fault}`"));
        format!("one of {}", names.join(", "))
    })
}
