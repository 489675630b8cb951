//! Asks one pod again and again over one connection, so that a question costs a round trip only.

use std::pin::Pin;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::connect::Cluster;
use super::forward::{
    AskError, Forward, Question, WORDS_OF_THE_NODE, broken, refused, request as send,
};
use crate::answer::Answer;

/// A connection to one pod, for one question at a time.
pub struct Conversation {
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
    /// What the node has to say when it cannot forward; ends when there is nothing to say.
    refusal: Pin<Box<dyn Future<Output = Option<String>> + Send>>,
    _forward: Forward,
}

impl Cluster {
    /// Opens a connection to a pod's port, by `until`.
    ///
    /// # Errors
    /// [`AskError`] when there is none.
    pub async fn converse(
        &self,
        namespace: &str,
        pod: &str,
        port: u16,
        until: Instant,
    ) -> Result<Conversation, AskError> {
        let opening = async {
            let mut forward = self.open(namespace, pod, port).await?;
            let stream = forward.0.take_stream(port);
            let refusal = forward.0.take_error(port);
            let (Some(stream), Some(refusal)) = (stream, refusal) else {
                return Err(AskError::BrokenOff("no stream for the port".to_owned()));
            };
            let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| broken(&error))?;
            let driver = tokio::spawn(async {
                // Whoever asks is told how it ended.
                let _ = connection.await;
            });
            Ok(Conversation {
                sender,
                driver,
                refusal: Box::pin(refusal),
                _forward: forward,
            })
        };
        timeout_at(until, opening)
            .await
            .unwrap_or(Err(AskError::NotOpenedInTime))
    }
}

impl Conversation {
    /// Asks; after an error the conversation is over.
    ///
    /// # Errors
    /// [`AskError`] when there is no complete answer.
    pub async fn ask(&mut self, question: &Question) -> Result<Answer, AskError> {
        timeout(question.timeout, self.exchange(question))
            .await
            .unwrap_or(Err(AskError::TimedOut))
    }

    async fn exchange(&mut self, question: &Question) -> Result<Answer, AskError> {
        let answer = async {
            self.sender.ready().await.map_err(|error| broken(&error))?;
            send(&mut self.sender, question, "keep-alive").await
        };
        match answer.await {
            // The node reports a refused connection on a channel of its own, right after the data
            // channel has ended.
            Err(AskError::BrokenOff(reason)) => {
                match timeout(WORDS_OF_THE_NODE, &mut self.refusal).await {
                    Ok(Some(words)) => Err(refused(&words)),
                    _ => Err(AskError::BrokenOff(reason)),
                }
            }
            other => other,
        }
    }

    /// Whether the other side has ended the connection, as servers do that keep none.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
