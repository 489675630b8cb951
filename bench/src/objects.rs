//! The measured objects, written as files: the same for every tool.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::BenchError;

/// The numbers of ConfigMaps in the large files, ascending.
pub(crate) const SIZES: [u32; 6] = [10, 30, 100, 300, 1000, 2000];
/// The namespace of the built-in set.
pub(crate) const BUILT_IN: &str = "bench-built-in";
/// The chart's folder.
pub(crate) const CHART: &str = "chart";
/// The name of the chart's release.
pub(crate) const RELEASE: &str = "bench";
/// The namespace in which helm keeps its records.
pub(crate) const RELEASES: &str = "bench-releases";

/// The exercise's refined set in one folder, with its namespace: three objects.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: &'static str,
    pub(crate) namespace: &'static str,
}

/// The set that cryptoctl and kubectl apply.
pub(crate) const THREE: Folder = Folder {
    path: "three",
    namespace: "bench-three",
};

/// The same set as a chart's templates; helm does not adopt objects that it did not create.
pub(crate) const TEMPLATES: Folder = Folder {
    path: "chart/templates",
    namespace: "bench-helm",
};

/// The path of the keys on all servers, including those of fake nodes.
pub(crate) const KEYS: &str = "/keys";

/// The mark of the sandbox's fake nodes: a label, and a taint that keeps all other pods away.
const MARK: (&str, &str) = ("kwok.x-k8s.io/node", "fake");

/// The pods of the set.
pub(crate) const PODS: [&str; 2] = ["cryptoserver-0", "cryptoserver-1"];

/// A set of many replicas on fake nodes, alone in its namespace.
#[derive(Debug)]
pub(crate) struct Crowd {
    pub(crate) namespace: &'static str,
    pub(crate) replicas: u32,
}

/// The set whose replicas are verified once.
pub(crate) const CROWD: Crowd = Crowd {
    namespace: "bench-crowd",
    replicas: 200,
};

/// The set whose replicas are probed repeatedly.
pub(crate) const PROBED: Crowd = Crowd {
    namespace: "bench-probed",
    replicas: 10,
};

/// Every namespace of the objects.
pub(crate) fn namespaces() -> Vec<String> {
    let of_sets = [
        THREE.namespace,
        TEMPLATES.namespace,
        RELEASES,
        BUILT_IN,
        CROWD.namespace,
        PROBED.namespace,
    ];
    let of_sets = of_sets.map(str::to_owned).into_iter();
    of_sets.chain(SIZES.map(many)).collect()
}

/// The namespace of a file of ConfigMaps: each file has its own, which contains nothing else.
fn many(objects: u32) -> String {
    format!("bench-many-{objects}")
}

impl Folder {
    /// The file with this many ConfigMaps.
    pub(crate) fn many(objects: u32) -> String {
        format!("many-{objects}.yaml")
    }

    fn write(&self, below: &Path, workspace: &Path) -> Result<(), BenchError> {
        let folder = below.join(self.path);
        fs::create_dir_all(&folder).map_err(BenchError::file("create folder", &folder))?;
        write_file(&folder.join("1-namespace.yaml"), namespace(self.namespace))?;
        let refined = workspace.join("manifests/exercise/3-refined");
        let sources = entries(&refined).map_err(BenchError::file("read folder", &refined))?;
        for (number, source) in (2..).zip(sources) {
            let text = fs::read_to_string(&source).map_err(BenchError::file("read", &source))?;
            let text = moved(&text, self.namespace);
            write_file(&folder.join(format!("{number}.yaml")), text)?;
        }
        Ok(())
    }
}

impl Crowd {
    /// The set.
    pub(crate) const SET: &str = "statefulset/replica";

    /// The file with the set.
    pub(crate) fn file(&self) -> String {
        format!("{}.yaml", self.namespace)
    }

    /// The set, and the Service that it names.
    fn manifest(&self) -> String {
        let Self {
            namespace,
            replicas,
        } = self;
        let (mark, marked) = MARK;
        format!(
            "\
{}---
apiVersion: v1
kind: Service
metadata:
  name: replica
  namespace: {namespace}
spec:
  clusterIP: None
  selector:
    app: replica
  ports:
  - port: 80
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: replica
  namespace: {namespace}
spec:
  serviceName: replica
  replicas: {replicas}
  podManagementPolicy: Parallel
  selector:
    matchLabels:
      app: replica
  template:
    metadata:
      labels:
        app: replica
    spec:
      nodeSelector:
        {mark}: {marked}
      tolerations:
      - key: {mark}
        value: {marked}
        effect: NoSchedule
      automountServiceAccountToken: false
      containers:
      - name: server
        image: fileserver
        ports:
        - containerPort: 80
",
            self::namespace(namespace)
        )
    }
}

/// Writes all files into a folder.
///
/// # Errors
/// When a file cannot be written, or the exercise's manifests cannot be read.
pub(crate) fn write(below: &Path, workspace: &Path) -> Result<(), BenchError> {
    THREE.write(below, workspace)?;
    TEMPLATES.write(below, workspace)?;
    let chart = "apiVersion: v2\nname: bench\nversion: 0.1.0\n";
    write_file(&below.join(CHART).join("Chart.yaml"), chart)?;
    for objects in SIZES {
        write_file(&below.join(Folder::many(objects)), config_maps(objects))?;
    }
    for crowd in [CROWD, PROBED] {
        write_file(&below.join(crowd.file()), crowd.manifest())?;
    }
    Ok(())
}

fn write_file(path: &Path, text: impl AsRef<[u8]>) -> Result<(), BenchError> {
    fs::write(path, text).map_err(BenchError::file("write", path))
}

/// The entries of a folder, in the order of their names.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

fn namespace(name: &str) -> String {
    format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n")
}

/// A manifest of the exercise in another namespace.
fn moved(text: &str, namespace: &str) -> String {
    text.replace("namespace: logaiter", &format!("namespace: {namespace}"))
}

/// Small ConfigMaps in a namespace of their own.
fn config_maps(count: u32) -> String {
    let namespace = many(count);
    (0..count).fold(String::new(), |mut text, number| {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number:04}\n  \
             namespace: {namespace}\n  labels:\n    app: bench\ndata:\n  number: \"{number}\"\n  \
             settings.ini: |\n    [server]\n    port = 80\n    path = /keys\n"
        );
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_put_on_fake_nodes_all_at_once() {
        let text = CROWD.manifest();
        for line in [
            "  namespace: bench-crowd\n",
            "  replicas: 200\n",
            "  podManagementPolicy: Parallel\n",
            "      nodeSelector:\n        kwok.x-k8s.io/node: fake\n",
            "      - key: kwok.x-k8s.io/node\n        value: fake\n",
        ] {
            assert!(text.contains(line), "{line:?} is missing in {text}");
        }
        assert!(namespaces().iter().any(|name| name == PROBED.namespace));
    }

    #[test]
    fn files_hold_the_objects_that_their_names_say() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), Path::new("..")).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(
            read("many-300.yaml").matches("kind: ConfigMap").count(),
            300
        );
        for set in [THREE, TEMPLATES] {
            let objects = entries(&folder.path().join(set.path)).unwrap();
            assert_eq!(objects.len(), 3, "{objects:?}");
            for path in objects {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains(set.namespace), "{text}");
                assert!(!text.contains("logaiter"), "{text}");
                assert!(
                    !text.contains("{{"),
                    "a chart would take this for a template: {text}"
                );
            }
        }
    }
}
