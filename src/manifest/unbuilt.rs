//! Input for a tool that builds manifests: named as what it is, with the command that builds them.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::shell;

/// The names under which kustomize looks for its file (`sigs.k8s.io/kustomize` `api/konfig/general.go`).
const KUSTOMIZATION: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The API group of that file and of components, not that of other tools' objects of the same kind.
const KUSTOMIZE_GROUP: &str = "kustomize.config.k8s.io/";

/// The file that makes a folder a chart (`helm.sh/helm` `pkg/chart/loader`).
const CHART: &str = "Chart.yaml";

/// Where a chart has its templates.
const TEMPLATES: &str = "templates";

/// What manifests have to be built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbuilt {
    /// A folder for kustomize.
    Kustomization {
        /// The folder.
        folder: String,
    },
    /// A Helm chart.
    Chart {
        /// Its folder.
        folder: String,
    },
    /// Values for a Helm chart.
    Values {
        /// The file.
        file: String,
    },
}

impl Unbuilt {
    /// What a folder is by the files in it.
    pub(super) fn folder(folder: &Path) -> Option<Self> {
        let has = |name: &&str| folder.join(name).is_file();
        if KUSTOMIZATION.iter().any(has) {
            return Some(Self::Kustomization {
                folder: shown(folder),
            });
        }
        chart(folder).or_else(|| {
            let is_templates = folder.file_name().is_some_and(|name| name == TEMPLATES);
            chart(folder.parent().filter(|_| is_templates)?)
        })
    }

    /// What a file is by its name and its neighbours.
    pub(super) fn file(file: &Path) -> Option<Self> {
        let folder = file.parent()?;
        let name = file.file_name()?.to_str()?;
        if KUSTOMIZATION.contains(&name) {
            return Some(Self::Kustomization {
                folder: shown(folder),
            });
        }
        let is_template = folder.file_name().is_some_and(|name| name == TEMPLATES);
        if is_template {
            return chart(folder.parent()?);
        }
        let belongs_to_chart = name == CHART || is_values(name);
        chart(folder).filter(|_| belongs_to_chart)
    }

    /// What a document is by its content; `file` is where it stands, or `standard input`.
    pub(super) fn document(file: &str, object: &Value) -> Option<Self> {
        let api_version = object["apiVersion"].as_str().unwrap_or_default();
        let path = Path::new(file);
        if api_version.starts_with(KUSTOMIZE_GROUP) {
            return Some(Self::Kustomization {
                folder: shown(path.parent()?),
            });
        }
        let is_object = object.get("apiVersion").is_some() || object.get("kind").is_some();
        let name = path.file_name()?.to_str()?;
        (object.is_object() && !is_object && is_values(name)).then(|| Self::Values {
            file: file.to_owned(),
        })
    }

    /// The command line that builds the manifests and hands them to `command`; whoever has to consent to
    /// that can only be asked when the manifests do not come over standard input.
    #[must_use]
    pub fn hint(&self, command: &str, flags: &str, asks: bool) -> String {
        let build = match self {
            Self::Kustomization { folder } => format!("kustomize build {}", shell::word(folder)),
            Self::Chart { folder } => format!("helm template NAME {}", shell::word(folder)),
            Self::Values { file } => {
                format!("helm template NAME CHART --values {}", shell::word(file))
            }
        };
        if asks {
            format!(
                "build them first: `{build} > set.yaml && cryptoctl {command} -f set.yaml{flags}`"
            )
        } else {
            format!("build them first: `{build} | cryptoctl {command} -f -{flags}`")
        }
    }
}

impl fmt::Display for Unbuilt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kustomization { folder } => write!(
                formatter,
                "`{folder}` is a folder for kustomize, which has to build its manifests"
            ),
            Self::Chart { folder } => write!(
                formatter,
                "`{folder}` is a Helm chart: Helm has to build its manifests"
            ),
            Self::Values { file } => write!(
                formatter,
                "`{file}` holds values for a Helm chart, and no manifest"
            ),
        }
    }
}

fn chart(folder: &Path) -> Option<Unbuilt> {
    folder.join(CHART).is_file().then(|| Unbuilt::Chart {
        folder: shown(folder),
    })
}

fn is_values(name: &str) -> bool {
    let extension = Path::new(name).extension();
    name.starts_with("values") && extension.is_some_and(|found| found == "yaml" || found == "yml")
}

fn shown(folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        folder.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_of_another_tool_is_no_kustomize_file() {
        let object = |api_version| json!({"apiVersion": api_version, "kind": "Kustomization"});
        let ours = Unbuilt::document("a/b.yaml", &object("kustomize.config.k8s.io/v1beta1"));
        assert_eq!(
            ours.map(|it| it.hint("up", "", false)),
            Some("build them first: `kustomize build a | cryptoctl up -f -`".to_owned())
        );
        let theirs = object("kustomize.toolkit.fluxcd.io/v1");
        assert_eq!(Unbuilt::document("b.yaml", &theirs), None);
    }

    #[test]
    fn values_are_told_from_manifests_by_what_they_lack() {
        let values = json!({"replicaCount": 2});
        assert!(Unbuilt::document("values-prod.yaml", &values).is_some());
        assert_eq!(Unbuilt::document("web.yaml", &values), None);
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        assert_eq!(Unbuilt::document("values.yaml", &manifest), None);
    }
}
