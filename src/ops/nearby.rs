//! Suggestions for a name that does not exist.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::Context;
use crate::cluster::ResourceKind;

/// Suggestions that take longer than this are omitted.
const PATIENCE: Duration = Duration::from_secs(2);
/// At most this many names are shown.
const NAMED: usize = 3;

/// A namespace in which an object was not found. Without permission to look, nothing is known about
/// it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nearby {
    /// The namespace's name.
    pub namespace: String,
    /// Whether it certainly does not exist.
    pub is_absent: bool,
    /// The existing namespaces with the most similar names, if it does not exist.
    pub similar: Vec<String>,
    /// The StatefulSets in it.
    pub stateful_sets: Vec<String>,
}

impl Nearby {
    /// Looks for similar names in a namespace.
    pub(crate) async fn look(context: &Context, namespace: &str) -> Self {
        let nothing = Self {
            namespace: namespace.to_owned(),
            ..Self::default()
        };
        // On the heap, as every read is.
        let looking = Box::pin(read(context, nothing.clone()));
        timeout(PATIENCE, looking).await.unwrap_or(nothing)
    }

    /// A warning about what exists instead of the objects of a set.
    #[must_use]
    pub(crate) fn instead_of_the_set(&self) -> String {
        let namespace = &self.namespace;
        if self.is_absent {
            let meant = match self.similar.first() {
                Some(similar) => format!("; did you mean `{similar}`?"),
                None => String::new(),
            };
            return format!("namespace `{namespace}` does not exist{meant}");
        }
        let others = match self.named() {
            names if names.is_empty() => String::new(),
            names => format!("; it has {names}"),
        };
        format!("no object of this set exists in namespace `{namespace}`{others}")
    }

    /// What to do instead: commands or sentences.
    #[must_use]
    pub fn hint(&self) -> String {
        match (self.is_absent, self.similar.as_slice()) {
            (true, []) => {
                "name another namespace with `-n`; `kubectl get namespaces` lists them".to_owned()
            }
            (true, similar) => {
                let names: Vec<String> = similar.iter().map(|name| format!("`-n {name}`")).collect();
                format!("did you mean {}?", names.join(" or "))
            }
            (false, _) if self.stateful_sets.is_empty() => {
                "name another namespace with `-n`; `kubectl get statefulsets --all-namespaces` lists all StatefulSets"
                    .to_owned()
            }
            (false, _) => format!("the namespace has {}: name one of them, or another namespace with `-n`", self.named()),
        }
    }

    fn named(&self) -> String {
        let first = self.stateful_sets.iter().take(NAMED);
        let names: Vec<String> = first.map(|name| format!("`statefulset/{name}`")).collect();
        match self.stateful_sets.len().saturating_sub(NAMED) {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

async fn read(context: &Context, nothing: Nearby) -> Nearby {
    let cluster = &context.cluster;
    let (kind, name) = (ResourceKind::namespace(), &nothing.namespace);
    if let Ok(None) = cluster.get::<Value>(&kind, None, name).await {
        let listed = cluster.list::<Value>(&kind, None, None, None).await;
        let names = names(&listed.unwrap_or_default());
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let similar = similar::get_close_matches(name.as_str(), &known, NAMED, 0.6);
        return Nearby {
            is_absent: true,
            similar: similar.into_iter().map(str::to_owned).collect(),
            ..nothing
        };
    }
    let kind = ResourceKind::stateful_set();
    let listed = cluster.list::<Value>(&kind, Some(name), None, None).await;
    Nearby {
        stateful_sets: names(&listed.unwrap_or_default()),
        ..nothing
    }
}

fn names(objects: &[Value]) -> Vec<String> {
    let names = objects.iter().map(|object| &object["metadata"]["name"]);
    names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
