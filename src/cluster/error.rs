//! What can go wrong between this program and a cluster, in its own words.
//!
//! `kube::Error` is translated here and nowhere else.

use crate::figures::duration;
use std::time::Duration;

use http::StatusCode;
use kube::core::Status;
use thiserror::Error;

use super::request::denial::Denial;

use super::request::refusal::without_credentials;
use super::verbs::discovery::ResourceKind;

/// A conflict between two field managers, as the API server reports it.
///
/// Source: `k8s.io/apimachinery` `pkg/apis/meta/v1/types.go`, `CauseTypeFieldManagerConflict`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The path of the field, such as `.spec.replicas`.
    pub field: String,
    /// What the API server says of its owner, such as ``conflict with "kubectl-edit" using apps/v1``.
    pub owner: String,
}

impl FieldConflict {
    /// The name of the other manager, which the API server gives in quotation marks only
    /// (`k8s.io/apimachinery` `pkg/util/managedfields/internal/conflict.go`).
    #[must_use]
    pub fn manager(&self) -> Option<&str> {
        self.owner.split('"').nth(1)
    }
}

/// A failed exchange with the cluster.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// No kubeconfig, no such context, or one that cannot be used.
    #[error("{reason}")]
    Configuration {
        /// What is wrong, with the file or context named.
        reason: String,
        /// What to do about it, as a command or a sentence.
        hint: String,
    },
    /// The credentials that the kubeconfig names cannot be had: nothing was sent.
    #[error("cannot obtain the credentials for the API server")]
    Credentials {
        /// Why, in words that show none of them.
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What to do about it, as a command or a sentence.
        hint: String,
    },
    /// The API server cannot be reached: nothing was sent.
    #[error("cannot reach the API server at `{server}`")]
    Unreachable {
        /// The server's URL.
        server: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server's certificate is not one that the kubeconfig trusts.
    #[error("the certificate of the API server at `{server}` is not trusted: {reason}")]
    Certificate {
        /// The server's URL.
        server: String,
        /// The TLS library's verdict.
        reason: String,
    },
    /// No answer within the time for one request.
    #[error("the API server at `{server}` did not answer within {}", duration(*.after))]
    Timeout {
        /// The server's URL.
        server: String,
        /// The time that the request was given.
        after: Duration,
    },
    /// The request was sent, and its answer was lost: it may or may not have been executed.
    #[error("the answer of the API server at `{server}` was lost")]
    AnswerLost {
        /// The server's URL.
        server: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// 401: the credentials are missing, wrong or expired.
    #[error("the API server at `{server}` does not accept these credentials")]
    Unauthorized {
        /// The server's URL.
        server: String,
    },
    /// 403: no permission, or admission says no.
    #[error("{message}")]
    Forbidden {
        /// The API server's own sentence: user, verb and resource, or what admission says.
        message: String,
        /// Who says no.
        denial: Denial,
    },
    /// 404: no such object, by the API server's own reason.
    #[error("{message}")]
    NotFound {
        /// The API server's own sentence.
        message: String,
        /// The plural of the kind that is meant; empty when the API server names none.
        resource: String,
        /// The name that is meant; empty when the API server names none.
        name: String,
    },
    /// 409: other field managers own fields that this apply would change.
    #[error("{}", conflict_sentence(.conflicts))]
    OwnedByOthers {
        /// One entry for every field.
        conflicts: Vec<FieldConflict>,
    },
    /// 409 for another reason: the object is not the one that was meant any more.
    #[error("{message}")]
    Conflict {
        /// The API server's own sentence.
        message: String,
    },
    /// 429 to an eviction: a disruption budget forbids it now, and may allow it later.
    #[error("{message}")]
    BudgetForbids {
        /// The API server's own sentence, with the budget's name and figures.
        message: String,
    },
    /// Any other refusal, 422 and admission included.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The machine-readable reason, such as `Invalid`.
        reason: String,
        /// The API server's own sentence.
        message: String,
        /// The fields that it is about, when validation says so.
        fields: Vec<String>,
        /// How long to wait before asking again, when the server says so.
        retry_after: Option<Duration>,
    },
    /// An answer that is not what the protocol says; its content is not shown, it may be secret.
    #[error("the API server sent an answer that cannot be read: {reason}")]
    Undecodable {
        /// Where the decoder stopped, without the text.
        reason: String,
    },
    /// More than this program is willing to keep in memory.
    #[error("the API server sent {what}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
    },
}

/// Some refusals print a whole object in between; the beginning and the end say what is wrong.
pub(crate) fn shortened(message: String) -> String {
    const LONGEST: usize = 600;
    let characters: Vec<char> = message.chars().collect();
    if characters.len() <= LONGEST {
        return message;
    }
    let (start, end) = (
        &characters[..LONGEST / 2],
        &characters[characters.len() - LONGEST / 2..],
    );
    start.iter().chain(&[' ', '…', ' ']).chain(end).collect()
}

/// Whether a refusal names this cause.
pub(crate) fn has_cause(status: &Status, reason: &str) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == reason)
}

fn conflict_sentence(conflicts: &[FieldConflict]) -> String {
    let fields: Vec<String> = conflicts
        .iter()
        .map(|conflict| format!("`{}` ({})", conflict.field, conflict.owner))
        .collect();
    format!(
        "{} owned by another field manager: {}",
        plural_fields(fields.len()),
        fields.join(", ")
    )
}

fn plural_fields(count: usize) -> &'static str {
    if count == 1 {
        "a field is"
    } else {
        "fields are"
    }
}

impl ClusterError {
    /// Translates an HTTP status and the `Status` object that came with it.
    pub(crate) fn from_status(
        server: &str,
        code: StatusCode,
        retry_after: Option<Duration>,
        status: Status,
    ) -> Self {
        let status = without_credentials(status);
        let message = if !status.message.is_empty() {
            shortened(status.message.clone())
        } else if code == StatusCode::NOT_FOUND {
            format!("`{server}` answered {code}, without the reason that an API server gives")
        } else {
            format!("the API server answered {code}")
        };
        match code {
            StatusCode::UNAUTHORIZED => Self::Unauthorized {
                server: server.to_owned(),
            },
            StatusCode::FORBIDDEN => Self::Forbidden {
                denial: Denial::of(&status),
                message,
            },
            // Without its reason it is not the API server that speaks, but something in between.
            StatusCode::NOT_FOUND if status.reason == "NotFound" => {
                let details = status.details.map(|details| (details.kind, details.name));
                let (resource, name) = details.unwrap_or_default();
                Self::NotFound {
                    message,
                    resource,
                    name,
                }
            }
            StatusCode::CONFLICT if !status.reason.is_empty() => {
                let conflicts: Vec<FieldConflict> = status
                    .details
                    .iter()
                    .flat_map(|details| &details.causes)
                    .filter(|cause| cause.reason == "FieldManagerConflict")
                    .map(|cause| FieldConflict {
                        field: shortened(cause.field.clone()),
                        owner: shortened(cause.message.clone()),
                    })
                    .collect();
                if conflicts.is_empty() {
                    Self::Conflict { message }
                } else {
                    Self::OwnedByOthers { conflicts }
                }
            }
            // Flow control refuses with 429 too, without this cause (`pkg/registry/core/pod/storage/
            // eviction.go`, `createTooManyRequestsError`).
            StatusCode::TOO_MANY_REQUESTS if has_cause(&status, "DisruptionBudget") => {
                let causes = status
                    .details
                    .into_iter()
                    .flat_map(|details| details.causes);
                let reasons: Vec<String> = causes.map(|cause| cause.message).collect();
                Self::BudgetForbids {
                    message: format!("{} {}", message, shortened(reasons.join("; "))),
                }
            }
            _ => Self::Refused {
                code: code.as_u16(),
                reason: status.reason,
                message,
                fields: status
                    .details
                    .into_iter()
                    .flat_map(|details| details.causes)
                    .map(|cause| cause.field)
                    .filter(|field| !field.is_empty())
                    .collect(),
                retry_after,
            },
        }
    }

    /// Whether the request provably was not executed because nothing reached the server.
    #[must_use]
    pub fn was_not_sent(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Certificate { .. }
                | Self::Configuration { .. }
                | Self::Credentials { .. }
        )
    }

    /// Whether the request may have been executed although it failed: a write is then neither done nor
    /// refused.
    #[must_use]
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::AnswerLost { .. }
            | Self::Undecodable { .. }
            | Self::TooLarge { .. } => true,
            Self::Refused { code: 503, .. } => !self.was_refused_before_execution(),
            Self::Refused { code, .. } => matches!(code, 300..=399 | 500..=599),
            _ => false,
        }
    }

    /// Whether the refusal came before any handler: 429 from flow control (a budget's is another
    /// error). A 503 says so only when it names a time to come back; an aggregated API's may come later.
    #[must_use]
    pub fn was_refused_before_execution(&self) -> bool {
        match self {
            Self::Refused { code: 429, .. } => true,
            Self::Refused {
                code: 503,
                retry_after,
                ..
            } => retry_after.is_some(),
            other => other.was_not_sent(),
        }
    }

    /// Whether the API server itself spoke: neither the network, nor this machine, nor a load balancer
    /// without a server behind it, which says 502, 503 or 504 by itself.
    #[must_use]
    pub fn is_an_answer(&self) -> bool {
        match self {
            Self::Refused {
                code: 502..=504,
                retry_after,
                ..
            } => retry_after.is_some(),
            Self::Refused { .. } => true,
            other => !other.is_transient() && !other.was_not_sent(),
        }
    }

    /// The same, an object's name in the API server's sentence exchanged for the one that it is meant
    /// to have.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &str) -> Self {
        if let Self::Refused { message, .. } = &mut self {
            *message = message.replace(from, to);
        }
        self
    }

    /// Whether the refusal is about the object's own fields: decoding or validation, not admission.
    ///
    /// Decoding says "cannot be handled as a …" (`k8s.io/apiserver`
    /// `pkg/endpoints/handlers/create.go`); validation names fields, admission does not.
    #[must_use]
    pub fn is_about_fields(&self) -> bool {
        match self {
            Self::Refused {
                code: 400, message, ..
            } => message.contains("cannot be handled as a"),
            Self::Refused {
                code: 422, fields, ..
            } => !fields.is_empty(),
            _ => false,
        }
    }

    /// Whether reading again later may well succeed; an internal error may be a change of etcd's
    /// leader.
    #[must_use]
    pub fn is_transient_for_reads(&self) -> bool {
        self.is_transient() || matches!(self, Self::Refused { code: 500, .. })
    }

    /// Whether asking again later may well succeed: the server is away, slow or overloaded.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::AnswerLost { .. } => true,
            // 500 is the answer to an apply with an unknown field, for one: asking again is no use.
            Self::Refused { code, .. } => matches!(code, 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether something does not exist: an object, a pod of a subresource, a namespace.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether this very object does not exist: the API server names what it has not found
    /// (`k8s.io/apimachinery` `pkg/api/errors/errors.go`, `NewNotFound`).
    #[must_use]
    pub fn says_absent(&self, kind: &ResourceKind, object: &str) -> bool {
        matches!(self, Self::NotFound { resource, name, .. }
            if *resource == kind.resource.plural && name == object)
    }
}
