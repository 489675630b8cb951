//! Credential plugins: a script that writes down what it was given and prints what it is told to.

use serde_json::{Value, json};

/// The file in a case's folder that plugins write to.
pub(crate) const CALLS: &str = "calls";

/// What one start of a plugin was given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// `KUBERNETES_EXEC_INFO`.
    pub(crate) info: Value,
    pub(crate) arguments: Vec<String>,
    /// The variables whose names begin with `PLUGIN_`, in order.
    pub(crate) environment: Vec<String>,
    /// The first line, after the word `terminal` if it was typed there.
    pub(crate) input: String,
}

impl Call {
    /// What a plugin is given that has neither arguments nor variables of its own and no terminal.
    pub(crate) fn plain(version: &str) -> Self {
        Self {
            info: json!({
                "apiVersion": version,
                "kind": "ExecCredential",
                "spec": {"interactive": false},
            }),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: String::new(),
        }
    }

    /// With another text in the place of each of its texts.
    pub(crate) fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let all = |texts: &[String]| texts.iter().map(|text| change(text)).collect();
        Self {
            info: map(&self.info, &change),
            arguments: all(&self.arguments),
            environment: all(&self.environment),
            input: self.input.clone(),
        }
    }
}

fn map(value: &Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => change(text).into(),
        Value::Array(values) => values.iter().map(|value| map(value, change)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), map(value, change)))
            .collect(),
        other => other.clone(),
    }
}

/// The script of a plugin that ends with these lines.
pub(crate) fn ending_with(lines: &str) -> String {
    format!(
        r#"#!/bin/sh
{{
    echo "call"
    echo "info $(printf '%s' "$KUBERNETES_EXEC_INFO" | tr -d '\n')"
    for argument in "$@"; do echo "argument $argument"; done
    env | grep '^PLUGIN_' | sort | sed 's/^/environment /'
    if [ -t 0 ]; then kind='terminal '; else kind=; fi
    read -r line
    echo "input $kind$line"
}} >>'@folder@/{CALLS}'
{lines}
"#
    )
}

/// The script of a plugin that prints this.
pub(crate) fn printing(output: &str) -> String {
    ending_with(&format!("cat <<'END_OF_OUTPUT'\n{output}\nEND_OF_OUTPUT"))
}

/// The script of a plugin that gives out a credential of `v1` with these fields, in JSON.
pub(crate) fn giving(status: &str) -> String {
    printing(&credential("client.authentication.k8s.io/v1", status))
}

/// A credential with these fields, in JSON.
pub(crate) fn credential(version: &str, status: &str) -> String {
    format!(r#"{{"apiVersion":"{version}","kind":"ExecCredential","status":{{{status}}}}}"#)
}

/// Reads what the scripts wrote.
pub(crate) fn calls(text: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in text.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        if key == "call" {
            calls.push(Call {
                info: Value::Null,
                arguments: Vec::new(),
                environment: Vec::new(),
                input: String::new(),
            });
        }
        let Some(call) = calls.last_mut() else {
            continue;
        };
        match key {
            // What is not JSON is kept as it is, to be seen in the failure.
            "info" => call.info = serde_json::from_str(value).unwrap_or_else(|_| value.into()),
            "argument" => call.arguments.push(value.to_owned()),
            "environment" => call.environment.push(value.to_owned()),
            "input" => value.clone_into(&mut call.input),
            _ => {}
        }
    }
    calls
}
