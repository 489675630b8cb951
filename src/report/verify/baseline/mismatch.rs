//! Why a baseline cannot be held against some answers.

use thiserror::Error;

use super::Baseline;
use crate::object::ObjectRef;
use crate::report::Endpoint;

/// Why a baseline cannot be held against these answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaselineMismatch {
    /// A format that this version does not know.
    #[error(
        "the baseline has the format {found}, and this version reads {}",
        Baseline::VERSION
    )]
    Version {
        /// The format's number.
        found: u32,
    },
    /// It was saved of another workload.
    #[error("the baseline is of `{saved}`{}, not of `{asked}`{}", place(.saved), place(.asked))]
    Workload {
        /// Whose it is.
        saved: Box<ObjectRef>,
        /// Whose answers are asked for.
        asked: Box<ObjectRef>,
    },
    /// It was saved of other endpoints.
    #[error("the baseline is of {}, not of {}", list(.saved), list(.asked))]
    Endpoints {
        /// Where it was saved.
        saved: Vec<Endpoint>,
        /// Where is asked.
        asked: Vec<Endpoint>,
    },
    /// Other things were cut out of the answer before it was saved.
    #[error("the baseline was saved with other expressions to ignore at {endpoint}")]
    Ignored {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The content is not the one that its digest and its length say.
    #[error("the baseline's content at {endpoint} is not what its digest and its length say")]
    Content {
        /// The endpoint.
        endpoint: Endpoint,
    },
}

fn place(object: &ObjectRef) -> String {
    let namespace = object.namespace.as_ref();
    namespace.map_or_else(String::new, |name| format!(" in namespace `{name}`"))
}

fn list(endpoints: &[Endpoint]) -> String {
    if endpoints.is_empty() {
        return "no endpoint at which all replicas have to agree".to_owned();
    }
    let words: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    words.join(", ")
}
