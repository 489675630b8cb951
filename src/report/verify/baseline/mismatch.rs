//! Why a baseline cannot be compared with the answers.

use thiserror::Error;

use crate::object::ObjectRef;
use crate::report::Endpoint;

/// Why a baseline cannot be compared with the answers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BaselineMismatch {
    /// It belongs to a different workload.
    #[error("the baseline is of `{saved}`{}, not of `{asked}`{}", place(.saved), place(.asked))]
    Workload {
        /// The workload of the baseline.
        saved: Box<ObjectRef>,
        /// The workload that is being verified.
        asked: Box<ObjectRef>,
    },
    /// It covers different endpoints.
    #[error("the baseline covers {}, not {}", list(.saved), list(.asked))]
    Endpoints {
        /// The endpoints of the baseline.
        saved: Vec<Endpoint>,
        /// The endpoints that are being verified.
        asked: Vec<Endpoint>,
    },
    /// It ignores different parts of the answer.
    #[error("the baseline was saved with different expressions to ignore at {endpoint}")]
    Ignored {
        /// The endpoint.
        endpoint: Endpoint,
    },
    /// The content does not match its digest and length.
    #[error("the baseline's content at {endpoint} does not match its digest and its length")]
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
        return "no endpoint at which all replicas must agree".to_owned();
    }
    let words: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    words.join(", ")
}
