//! Runs one short command in a container.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Api;
use kube::api::AttachParams;
use thiserror::Error;
use tokio::time::timeout;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::failure;

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandEnd {
    /// With status 0.
    Succeeded,
    /// The container's runtime could not start it, or it failed; the node's own words.
    Failed(String),
    /// The connection ended without a word on how the command ended: as when it has ended the
    /// container that it ran in.
    Unsaid,
}

/// Why a command could not be sent.
#[derive(Debug, Error)]
#[error("cannot run a command in the container")]
pub struct ExecError(#[source] pub ClusterError);

impl Cluster {
    /// Runs a command in a container, without input, and waits for its end.
    ///
    /// # Errors
    /// [`ExecError`] when it could not be sent.
    pub async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: &[&str],
    ) -> Result<CommandEnd, ExecError> {
        let _waiting = self.sender.waiting();
        let pods: Api<Pod> = Api::namespaced(self.sender.client().clone(), namespace);
        let parameters = AttachParams::default()
            .container(container)
            .stdin(false)
            .stdout(true)
            .stderr(false);
        let after = self.sender.request_timeout();
        let running = async {
            let mut process = pods.exec(pod, command.iter().copied(), &parameters).await?;
            let status = process.take_status();
            let end = match status {
                Some(status) => status.await,
                None => None,
            };
            process.abort();
            Ok(end.map_or(CommandEnd::Unsaid, ended))
        };
        match timeout(after, running).await {
            Ok(Ok(end)) => Ok(end),
            Ok(Err(error)) => Err(ExecError(failure::translate(self.server(), error))),
            Err(_) => Err(ExecError(ClusterError::Timeout {
                server: self.server().to_owned(),
                after,
            })),
        }
    }
}

fn ended(status: Status) -> CommandEnd {
    if status.status.as_deref() == Some("Success") {
        CommandEnd::Succeeded
    } else {
        CommandEnd::Failed(status.message.unwrap_or_default())
    }
}
