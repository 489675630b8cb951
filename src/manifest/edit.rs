//! Changes that flags ask for: another image, another number of replicas, another storage class.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

use super::reference::pod_template_path;
use super::{Manifest, ManifestSet};
use crate::object::ObjectRef;

/// The changes to make to a set; by default none.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// New images (`--image`).
    pub images: Vec<ImageEdit>,
    /// The number of replicas (`--replicas`).
    pub replicas: Option<u32>,
    /// The storage class of all claims (`--storage-class`).
    pub storage_class: Option<String>,
}

/// A new image, written `IMAGE` or `CONTAINER=IMAGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageEdit {
    /// The container that gets it; `None` for all, which must then have the same image so far.
    pub container: Option<String>,
    /// The image.
    pub image: String,
}

impl fmt::Display for ImageEdit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.container {
            Some(container) => write!(formatter, "{container}={}", self.image),
            None => formatter.write_str(&self.image),
        }
    }
}

impl FromStr for ImageEdit {
    type Err = Infallible;

    /// An image's name never contains `=`, so the first one ends the container's name.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (container, image) = match text.split_once('=') {
            Some((container, image)) => (Some(container.to_owned()), image),
            None => (None, text),
        };
        Ok(Self {
            container,
            image: image.to_owned(),
        })
    }
}

/// Why a change cannot be made to a set.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EditError {
    /// There is no object that the flag could change.
    #[error("`{flag}` has nothing to change: the manifests hold no {wanted}")]
    NothingToChange {
        /// The flag.
        flag: &'static str,
        /// What the flag changes.
        wanted: &'static str,
    },
    /// There are several objects that the flag could mean.
    #[error("`{flag}` could mean {}: say it in the manifests", quoted(objects))]
    Ambiguous {
        /// The flag.
        flag: &'static str,
        /// The objects.
        objects: Vec<ObjectRef>,
    },
    /// One image is to replace several different ones.
    #[error(
        "the containers of `{object}` have different images: say which one with \
         `--image CONTAINER=IMAGE`, CONTAINER being one of {}",
        quoted(containers)
    )]
    DifferentImages {
        /// The workload.
        object: Box<ObjectRef>,
        /// Its containers.
        containers: Vec<String>,
    },
    /// The workload has no container of that name.
    #[error(
        "`{object}` has no container `{container}`, but {}",
        quoted(containers)
    )]
    NoSuchContainer {
        /// The workload.
        object: Box<ObjectRef>,
        /// The name that was asked for.
        container: String,
        /// Its containers.
        containers: Vec<String>,
    },
    /// An image is asked for all containers, and others beside it; or one container gets two.
    #[error("`--image` was given several times for the same container")]
    ImageTwice,
    /// The image's name is empty.
    #[error("`--image` needs an image")]
    EmptyImage,
}

/// Everything that keeps changes from being made; never empty. Displays one problem a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct EditErrors(pub Vec<EditError>);

fn quoted<T: ToString>(names: &[T]) -> String {
    names
        .iter()
        .map(|name| format!("`{}`", name.to_string()))
        .collect::<Vec<_>>()
        .join(", ")
}

impl ManifestSet {
    /// Makes all changes, or none.
    ///
    /// # Errors
    /// Everything that keeps the changes from being made.
    pub fn edit(&mut self, edits: &Edits) -> Result<(), EditErrors> {
        let mut changed = self.clone();
        let manifests = changed.manifests_mut();
        let outcomes = [
            set_images(manifests, &edits.images),
            edits
                .replicas
                .map_or(Ok(()), |replicas| set_replicas(manifests, replicas)),
            edits
                .storage_class
                .as_ref()
                .map_or(Ok(()), |name| set_storage_class(manifests, name)),
        ];
        let errors: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        if !errors.is_empty() {
            return Err(EditErrors(errors));
        }
        *self = changed;
        Ok(())
    }
}

fn set_images(manifests: &mut [Manifest], edits: &[ImageEdit]) -> Result<(), EditError> {
    const FLAG: &str = "--image";
    if edits.is_empty() {
        return Ok(());
    }
    refuse_contradictions(edits)?;
    let workload = only_one(manifests, FLAG, "workload", |manifest| {
        pod_template_path(&manifest.reference, &manifest.value).is_some()
    })?;
    let object = Box::new(workload.reference.clone());
    let path = pod_template_path(&workload.reference, &workload.value).unwrap_or_default();
    let mut containers = containers(workload.value.pointer_mut(path));
    let names: Vec<String> = containers
        .iter()
        .map(|container| container.name.clone())
        .collect();
    for edit in edits {
        let chosen: Vec<_> = containers
            .iter_mut()
            .filter(|container| {
                edit.container
                    .as_ref()
                    .is_none_or(|name| *name == container.name)
            })
            .collect();
        if let (Some(container), []) = (&edit.container, chosen.as_slice()) {
            return Err(EditError::NoSuchContainer {
                object,
                container: container.clone(),
                containers: names,
            });
        }
        if chosen.windows(2).any(|pair| pair[0].image != pair[1].image) {
            return Err(EditError::DifferentImages {
                object,
                containers: names,
            });
        }
        for container in chosen {
            *container.image = Value::from(edit.image.as_str());
        }
    }
    Ok(())
}

fn refuse_contradictions(edits: &[ImageEdit]) -> Result<(), EditError> {
    if edits.iter().any(|edit| edit.image.is_empty()) {
        return Err(EditError::EmptyImage);
    }
    let twice = edits.iter().enumerate().any(|(index, one)| {
        edits[..index].iter().any(|other| {
            one.container.is_none() || other.container.is_none() || one.container == other.container
        })
    });
    if twice {
        Err(EditError::ImageTwice)
    } else {
        Ok(())
    }
}

struct Container<'value> {
    name: String,
    image: &'value mut Value,
}

/// The containers and init containers of a pod template that have an image.
fn containers(template: Option<&mut Value>) -> Vec<Container<'_>> {
    let spec = template.and_then(|template| template.get_mut("spec")?.as_object_mut());
    spec.into_iter()
        .flat_map(|spec| spec.iter_mut())
        .filter(|(key, _)| matches!(key.as_str(), "containers" | "initContainers"))
        .filter_map(|(_, list)| list.as_array_mut())
        .flatten()
        .filter_map(|container| {
            let name = container.get("name")?.as_str()?.to_owned();
            Some(Container {
                name,
                image: container.get_mut("image")?,
            })
        })
        .collect()
}

fn set_replicas(manifests: &mut [Manifest], replicas: u32) -> Result<(), EditError> {
    const FLAG: &str = "--replicas";
    let is_stateful_set = |manifest: &Manifest| manifest.reference.is("apps", "StatefulSet");
    let kind = if manifests.iter().any(is_stateful_set) {
        "StatefulSet"
    } else {
        "Deployment"
    };
    let workload = only_one(manifests, FLAG, "StatefulSet or Deployment", |manifest| {
        manifest.reference.is("apps", kind)
    })?;
    if let Some(spec) = workload
        .value
        .get_mut("spec")
        .and_then(Value::as_object_mut)
    {
        spec.insert("replicas".to_owned(), Value::from(replicas));
    }
    Ok(())
}

fn set_storage_class(manifests: &mut [Manifest], name: &str) -> Result<(), EditError> {
    let mut found = false;
    for manifest in manifests {
        for spec in claim_specs(manifest) {
            if let Some(spec) = spec.as_object_mut() {
                spec.insert("storageClassName".to_owned(), Value::from(name));
                found = true;
            }
        }
    }
    if found {
        Ok(())
    } else {
        Err(EditError::NothingToChange {
            flag: "--storage-class",
            wanted: "PersistentVolumeClaim and no volumeClaimTemplates",
        })
    }
}

/// The `spec` of a claim, or of every claim template of a `StatefulSet`.
fn claim_specs(manifest: &mut Manifest) -> Vec<&mut Value> {
    if manifest.reference.is("", "PersistentVolumeClaim") {
        return manifest.value.get_mut("spec").into_iter().collect();
    }
    let templates = manifest.value.pointer_mut("/spec/volumeClaimTemplates");
    let templates = templates.and_then(Value::as_array_mut);
    templates
        .into_iter()
        .flatten()
        .filter_map(|template| template.get_mut("spec"))
        .collect()
}

/// The only manifest of its kind.
fn only_one<'set>(
    manifests: &'set mut [Manifest],
    flag: &'static str,
    wanted: &'static str,
    predicate: impl Fn(&Manifest) -> bool,
) -> Result<&'set mut Manifest, EditError> {
    let mut found: Vec<_> = manifests
        .iter_mut()
        .filter(|manifest| predicate(manifest))
        .collect();
    if found.len() > 1 {
        let objects = found
            .iter()
            .map(|manifest| manifest.reference.clone())
            .collect();
        return Err(EditError::Ambiguous { flag, objects });
    }
    found
        .pop()
        .ok_or(EditError::NothingToChange { flag, wanted })
}

#[cfg(test)]
mod tests;
