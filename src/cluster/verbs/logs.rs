//! Reads the log of a container.

use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::core::subresource::LogParams;
use tokio::sync::mpsc;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::failure;
use super::super::request::sender::Effect;
use super::discovery::ResourceKind;
use super::lines::Lines;
use super::objects::{invalid, requests};

/// A longer line is passed on in pieces.
const LONGEST_LINE: usize = 64 * 1024;
const LARGEST_EXCERPT: i64 = 256 * 1024;

/// Which part of a log to read.
#[derive(Debug, Clone, Default)]
pub struct LogOptions {
    /// The log of the container's previous run.
    pub previous: bool,
    /// Go on as long as the container runs.
    pub follow: bool,
    /// Only the last lines.
    pub tail: Option<i64>,
    /// Only what came since.
    pub since: Option<LogStart>,
    /// Each line begins with the time at which it was written.
    pub timestamps: bool,
}

/// Since when a log is read.
#[derive(Debug, Clone, Copy)]
pub enum LogStart {
    /// So many seconds before now, by the node's clock.
    Seconds(i64),
    /// A time.
    Time(Timestamp),
}

impl Cluster {
    /// The last lines of a container's log.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn log_excerpt(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        lines: i64,
    ) -> Result<Vec<String>, ClusterError> {
        let parameters = LogParams {
            container: Some(container.to_owned()),
            previous,
            tail_lines: Some(lines),
            limit_bytes: Some(LARGEST_EXCERPT),
            ..LogParams::default()
        };
        let request = requests(&ResourceKind::pod(), Some(namespace))
            .logs(pod, &parameters)
            .map_err(invalid)?;
        let bytes = self.sender.bytes(request, Effect::Read).await?;
        Ok(String::from_utf8_lossy(&bytes)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Sends a container's log line by line until it ends or nobody listens.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request; [`ClusterError::AnswerLost`] when the stream broke off.
    pub async fn log_lines(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        options: &LogOptions,
        lines: &mpsc::Sender<String>,
    ) -> Result<(), ClusterError> {
        let parameters = LogParams {
            container: Some(container.to_owned()),
            previous: options.previous,
            follow: options.follow,
            tail_lines: options.tail,
            since_time: match options.since {
                Some(LogStart::Time(time)) => Some(time),
                _ => None,
            },
            since_seconds: match options.since {
                Some(LogStart::Seconds(seconds)) => Some(seconds),
                _ => None,
            },
            timestamps: options.timestamps,
            ..LogParams::default()
        };
        let request = requests(&ResourceKind::pod(), Some(namespace))
            .logs(pod, &parameters)
            .map_err(invalid)?;
        let _waiting = self.sender.waiting();
        let mut losses = self.sender.health().losses();
        let mut body = self.sender.stream(request).await?.into_body();
        let mut arrived = Lines::default();
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                // A quiet log is normal; a server that does not prove its life is not.
                _ = losses.changed() => return Err(self.sender.unresponsive()),
            };
            self.sender.health().received();
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| failure::translate(self.server(), error))?;
            arrived.push(&frame.into_data().unwrap_or_default());
            while let Some(line) = arrived.next_line() {
                if lines.send(text(&line)).await.is_err() {
                    return Ok(());
                }
            }
            while let Some(piece) = arrived.next_piece(LONGEST_LINE) {
                if lines.send(text(&piece)).await.is_err() {
                    return Ok(());
                }
            }
        }
        let last = arrived.take_unfinished();
        if !last.is_empty() {
            // Nobody listening is as good as the end.
            let _ = lines.send(text(&last)).await;
        }
        Ok(())
    }
}

/// A line without its end.
fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line)
        .trim_end_matches(['\n', '\r'])
        .to_owned()
}
