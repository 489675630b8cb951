//! A token in a file that somebody else renews, as the kubelet does for every pod.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Credentials, IdentityError, bearer};
use crate::file;
use crate::kubeconfig::credential_file;
use crate::secret::Secret;

/// The file is read again after this long (`k8s.io/client-go` `transport/token_source.go`: a minute
/// less ten seconds).
const FRESH: Duration = Duration::from_secs(50);

/// A file with a token, and what to use while it cannot be read.
pub(crate) struct TokenFile {
    path: PathBuf,
    otherwise: Secret,
}

impl TokenFile {
    pub(crate) fn new(path: &str, otherwise: Secret) -> Self {
        Self {
            path: path.into(),
            otherwise,
        }
    }

    pub(crate) fn read(&self) -> Result<Credentials, IdentityError> {
        let read = credential_file(&self.path)
            .and_then(file::text)
            .map_err(|source| IdentityError::TokenFile {
                path: self.path.clone(),
                source: Arc::new(source),
            });
        let token = match read {
            Ok(text) if !text.trim().is_empty() => text.trim().to_owned(),
            // The kubeconfig's own token is second best.
            _ if !self.otherwise.is_empty() => self.otherwise.expose().to_owned(),
            Ok(_) => {
                return Err(IdentityError::EmptyTokenFile {
                    path: self.path.clone(),
                });
            }
            Err(error) => return Err(error),
        };
        Ok(Credentials {
            expires: Timestamp::now().checked_add(FRESH).ok(),
            ..Credentials::header(bearer(&token)?)
        })
    }
}
