//! What a path names (apiserver, pkg/endpoints/request/requestinfo.go).

use std::collections::BTreeMap;

use http::Method;

use crate::kinds::Kind;
use crate::store::Key;

/// The object or the collection that a request is about.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    /// "" for cluster-wide requests.
    pub(crate) namespace: String,
    /// "" for collections.
    pub(crate) name: String,
    pub(crate) subresource: String,
}

impl Target {
    /// The target of a path, if its resource is served.
    pub(crate) fn of(kinds: &[Kind], path: &str) -> Option<Self> {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..]
                if !matches!(rest, [] | ["status" | "finalize"]) =>
            {
                (*namespace, rest)
            }
            _ => ("", rest),
        };
        let (resource, rest) = rest.split_first()?;
        let name = rest.first().copied().unwrap_or_default();
        let subresource = match rest.get(1..).unwrap_or_default() {
            // What follows is the path on the pod's own server.
            ["proxy", ..] => "proxy".to_owned(),
            below => below.join("/"),
        };
        let kind = kinds
            .iter()
            .find(|kind| kind.is(group, resource) && kind.version == version)?;
        if !kind.namespaced && !namespace.is_empty()
            || kind.namespaced && namespace.is_empty() && !name.is_empty()
        {
            return None;
        }
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Some(Self {
            kind: kind.clone(),
            namespace,
            name,
            subresource,
        })
    }

    /// Whether the path at least names a served group and version.
    pub(crate) fn names_version(kinds: &[Kind], path: &str) -> bool {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, version) = match parts.as_slice() {
            ["api", version, ..] => ("", *version),
            ["apis", group, version, ..] => (*group, *version),
            _ => return false,
        };
        kinds
            .iter()
            .any(|kind| kind.group == group && kind.version == version)
    }

    /// The request's verb as RBAC names it.
    pub(crate) fn verb(&self, method: &Method, watch: bool) -> &'static str {
        match (method.as_str(), self.name.is_empty()) {
            ("GET", _) if watch => "watch",
            ("GET", true) => "list",
            ("GET", false) => "get",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", true) => "deletecollection",
            ("DELETE", false) => "delete",
            _ => "",
        }
    }

    /// The object's key.
    pub(crate) fn key(&self) -> Key {
        Key::new(&self.kind, &self.namespace, &self.name)
    }
}

/// The parameters of a query; of repeated ones the last.
pub(crate) fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| {
            (
                decode(&name.replace('+', " ")),
                decode(&value.replace('+', " ")),
            )
        })
        .collect()
}

/// Undoes percent encoding.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code =
            code.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
