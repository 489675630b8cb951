//! The endpoint of a pod template's readiness probe: a path that every replica has to answer
//! anyway.

use serde_json::Value;

use crate::expectation::Expectation;
use crate::object::ObjectRef;
use crate::ops::Set;

/// The endpoint of a readiness probe.
pub(super) struct ProbedEndpoint {
    object: ObjectRef,
    path: String,
    port: u16,
}

/// The endpoint of the StatefulSet's first readiness probe over plain HTTP; `None` without one.
pub(super) fn endpoint(set: &Set, named: Option<&str>) -> Option<ProbedEndpoint> {
    let mut found = set.manifests.manifests().iter().filter(|manifest| {
        let object = &manifest.reference;
        object.is("apps", "StatefulSet") && named.is_none_or(|name| name == object.name)
    });
    let (Some(manifest), None) = (found.next(), found.next()) else {
        return None;
    };
    let containers = manifest.value.pointer("/spec/template/spec/containers")?;
    containers.as_array()?.iter().find_map(|container| {
        let probe = container.pointer("/readinessProbe/httpGet")?;
        let is_plain = probe["scheme"]
            .as_str()
            .is_none_or(|scheme| scheme == "HTTP");
        let is_of_pod = probe["host"].as_str().is_none_or(str::is_empty);
        if !is_plain || !is_of_pod {
            return None;
        }
        Some(ProbedEndpoint {
            object: manifest.reference.clone(),
            path: probe["path"]
                .as_str()
                .filter(|path| !path.is_empty())
                .unwrap_or("/")
                .to_owned(),
            port: port(container, &probe["port"])?,
        })
    })
}

/// A port by its number, or by its name in the container.
fn port(container: &Value, port: &Value) -> Option<u16> {
    let number = match port.as_str() {
        None => port.as_u64(),
        Some(name) => container["ports"]
            .as_array()?
            .iter()
            .find(|port| port["name"] == name)?["containerPort"]
            .as_u64(),
    };
    u16::try_from(number?).ok().filter(|port| *port > 0)
}

impl ProbedEndpoint {
    /// The expected answer of every replica.
    pub(super) fn expectation(&self) -> Expectation {
        Expectation {
            port: Some(self.port),
            ..Expectation::of_path(&self.path)
        }
    }

    /// Where the endpoint comes from, and what it may not prove.
    pub(super) fn note(&self) -> String {
        format!(
            "requesting `{}` on port {}, the endpoint of the readiness probe of `{}`: if it says nothing about \
             the data, name a path that does with `--path`",
            self.path, self.port, self.object
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{self, Options, Source};

    fn probed(probe: &str) -> Option<(String, u16)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.yaml");
        let text = format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: web}}\nspec: {{template: {{spec: {{containers: [\
             {{name: log}}, {{name: a, ports: [{{name: http, containerPort: 81}}], readinessProbe: {probe}}}]}}}}}}\n"
        );
        std::fs::write(&path, text).unwrap();
        let manifests = manifest::load(&[Source::Path(path)], Options::default()).unwrap();
        let set = Set {
            manifests,
            is_built_in: false,
            choices: crate::fields::FieldChoices::default(),
            replaced: Vec::new(),
            inventory: None,
            rolls: false,
        };
        assert!(endpoint(&set, Some("other")).is_none());
        endpoint(&set, Some("web")).map(|probed| {
            let expectation = probed.expectation();
            (expectation.path, expectation.port.unwrap_or_default())
        })
    }

    #[test]
    fn a_probe_names_path_and_port() {
        let expected = |path: &str, port| Some((path.to_owned(), port));
        for (probe, endpoint) in [
            ("{httpGet: {path: /up, port: http}}", expected("/up", 81)),
            ("{httpGet: {path: /up, port: 8080}}", expected("/up", 8080)),
            ("{httpGet: {port: 8080}}", expected("/", 8080)),
            ("{httpGet: {path: /up, port: other}}", None),
            ("{httpGet: {path: /up, port: http, scheme: HTTPS}}", None),
            (
                "{httpGet: {path: /up, port: http, host: example.com}}",
                None,
            ),
            ("{exec: {command: [stat]}}", None),
            ("null", None),
        ] {
            assert_eq!(probed(probe), endpoint, "{probe}");
        }
    }
}
