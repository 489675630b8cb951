//! Asks one pod through a port-forward of its own, inside this process: once, or again and again over
//! one connection, so that a question costs a round trip only.
//!
//! A cut port-forward looks like the end of a file, so a body counts as complete only when HTTP
//! itself says so: by its `Content-Length` or its last chunk (RFC 9112, section 6.3). Whatever else
//! ends it, what has come by then is told.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{FusedFuture, FutureExt};
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::connect::Cluster;
use super::forward::{AskError, Forward, Question, refused};
use super::reading::{self, Reading, Stop};
use super::wire::{Received, Wire};
use crate::answer::{Answer, Cut};

/// As many header lines, and as many bytes of them, as curl takes (`lib/headers.h`, `lib/http.h`).
const MOST_HEADERS: usize = 5000;
const LARGEST_HEAD: usize = 300 * 1024;

/// When the node has said that it cannot forward, the end of what the pod has sent is not far.
const REST_OF_THE_DATA: Duration = Duration::from_millis(500);
/// What the node has to say comes before the end of its data, and a broken link shows at once.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// A connection to one pod, for one question at a time.
pub struct Conversation {
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
    received: Received,
    /// What the node has to say when it cannot forward; ends with the link when there is nothing to say.
    refusal: Pin<Box<dyn FusedFuture<Output = Option<String>> + Send>>,
    /// Kept open, so that the link ends by itself only when it breaks.
    _stream: Arc<Mutex<DuplexStream>>,
    _forward: Forward,
}

/// Tells whether an answer has begun.
pub struct Beginning(Received);

impl Beginning {
    /// Whether any byte of it has come.
    #[must_use]
    pub fn has_come(&self) -> bool {
        self.0.is_anything()
    }
}

/// How taking in an answer ended.
enum End {
    /// As HTTP ends.
    Whole,
    /// Before that.
    Stopped(Stop<hyper::Error>),
    /// Not in time.
    TimedOut,
    /// The node cannot forward any more, for this reason.
    Said(String),
    /// The link to the node broke before anything had come.
    Unlinked,
}

impl Cluster {
    /// Asks a pod once, through a port-forward of its own.
    ///
    /// # Errors
    /// [`AskError`] when there is no complete answer.
    pub async fn ask(
        &self,
        namespace: &str,
        pod: &str,
        question: &Question,
    ) -> Result<Answer, AskError> {
        let _waiting = self.sender.waiting();
        let forward = self.open(namespace, pod, question.port).await?;
        let mut conversation = Conversation::over(forward, question.port).await?;
        conversation.exchange(question, "close").await
    }

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
            let forward = self.open(namespace, pod, port).await?;
            Conversation::over(forward, port).await
        };
        timeout_at(until, opening)
            .await
            .unwrap_or(Err(AskError::NotOpenedInTime))
    }
}

impl Conversation {
    async fn over(mut forward: Forward, port: u16) -> Result<Self, AskError> {
        let stream = forward.0.take_stream(port);
        let refusal = forward.0.take_error(port);
        let (Some(stream), Some(refusal)) = (stream, refusal) else {
            return Err(AskError::LinkBroken);
        };
        let stream = Arc::new(Mutex::new(stream));
        let received = Received::default();
        let wire = Wire::over(&stream, &received);
        let (sender, connection) = Builder::new()
            .max_headers(MOST_HEADERS)
            .max_buf_size(LARGEST_HEAD)
            .handshake(TokioIo::new(wire))
            .await
            .map_err(|error| AskError::Closed(in_words(&error).to_owned()))?;
        let driver = tokio::spawn(async {
            // Whoever asks is told how it ended.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            driver,
            received,
            refusal: Box::pin(refusal.fuse()),
            _stream: stream,
            _forward: forward,
        })
    }

    /// Asks; after an error the conversation is over.
    ///
    /// # Errors
    /// [`AskError`] when there is no complete answer.
    pub async fn ask(&mut self, question: &Question) -> Result<Answer, AskError> {
        self.exchange(question, "keep-alive").await
    }

    /// Tells, while an answer is waited for, whether it has begun.
    #[must_use]
    pub fn beginning(&self) -> Beginning {
        Beginning(self.received.clone())
    }

    /// Asks; `connection` says whether the connection is of use afterwards.
    async fn exchange(
        &mut self,
        question: &Question,
        connection: &'static str,
    ) -> Result<Answer, AskError> {
        let request = Request::get(&question.path)
            .header(header::HOST, "localhost")
            .header(header::CONNECTION, connection)
            .body(Empty::new())
            .map_err(|error| AskError::Closed(error.to_string()))?;
        let started = Instant::now();
        self.received.forget();
        let mut reading = Reading::of(question);
        let end = self.take(request, question.timeout, &mut reading).await;
        match end {
            End::Whole => conclude(reading, started.elapsed()),
            End::Stopped(Stop::TooLarge(limit)) => Err(unfinished(reading, Cut::TooLarge(limit))),
            End::Stopped(Stop::Broken(error)) => Err(self.broken(reading, &error)),
            End::TimedOut if self.received.is_anything() => {
                Err(self.began(reading, Cut::TimedOut(question.timeout)))
            }
            End::TimedOut => Err(AskError::TimedOut),
            End::Said(words) if self.received.is_anything() => {
                Err(self.began(reading, Cut::Broken(words)))
            }
            End::Said(words) => Err(refused(&words)),
            End::Unlinked => Err(AskError::LinkBroken),
        }
    }

    async fn take(
        &mut self,
        request: Request<Empty<Bytes>>,
        time: Duration,
        reading: &mut Reading,
    ) -> End {
        let Self {
            sender,
            received,
            refusal,
            ..
        } = self;
        let taking = timeout(time, send(sender, request, reading));
        tokio::pin!(taking);
        let has_words_to_come = !refusal.is_terminated();
        // The node reports a refused connection on a channel of its own. What came of an answer
        // before that stands all the same, so it is taken in first.
        let (ended, words) = tokio::select! {
            biased;
            ended = &mut taking => (ended, None),
            Some(words) = &mut *refusal, if has_words_to_come => {
                match timeout(REST_OF_THE_DATA, &mut taking).await {
                    Ok(ended) => (ended, Some(words)),
                    Err(_) => return End::Said(words),
                }
            }
        };
        match (ended, words) {
            (Ok(Ok(())), _) => End::Whole,
            (Ok(Err(Stop::Broken(_))), Some(words)) => End::Said(words),
            (Ok(Err(Stop::Broken(_))), None)
                if !received.is_anything() && refusal.is_terminated() =>
            {
                End::Unlinked
            }
            (Ok(Err(Stop::Broken(error))), None) if !received.is_anything() => {
                match timeout(LAST_WORDS, refusal).await {
                    Ok(Some(words)) => End::Said(words),
                    Ok(None) => End::Unlinked,
                    Err(_) => End::Stopped(Stop::Broken(error)),
                }
            }
            (Ok(Err(stop)), _) => End::Stopped(stop),
            (Err(_), _) => End::TimedOut,
        }
    }

    /// What it means that the connection failed: whether an answer began decides.
    fn broken(&self, reading: Reading, error: &hyper::Error) -> AskError {
        if reading.head.is_none() && !self.received.is_anything() {
            return AskError::Closed(in_words(error).to_owned());
        }
        if reading.head.is_none() && error.is_parse() && self.received.status().is_none() {
            return AskError::NotHttp {
                speaks_tls: self.received.is_tls(),
            };
        }
        self.began(reading, Cut::Broken(in_words(error).to_owned()))
    }

    /// An answer began: where not all of its head has come, its first line may have.
    fn began(&self, reading: Reading, cut: Cut) -> AskError {
        let mut fragment = reading.fragment(cut);
        if fragment.head.is_none() {
            fragment.status = self.received.status();
        }
        AskError::Unfinished(Box::new(fragment))
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

async fn send(
    sender: &mut SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
    reading: &mut Reading,
) -> Result<(), Stop<hyper::Error>> {
    sender.ready().await.map_err(Stop::Broken)?;
    let response = sender.send_request(request).await.map_err(Stop::Broken)?;
    let (head, body) = response.into_parts();
    reading.head = Some(head);
    reading.take(body).await
}

/// An answer whose end has come; whether that is proven is another question.
fn conclude(reading: Reading, latency: Duration) -> Result<Answer, AskError> {
    let Some(head) = &reading.head else {
        return Err(AskError::Closed("there is no head".to_owned()));
    };
    if !reading::has_length(head.status, &head.headers) && !reading::is_chunked(&head.headers) {
        let reason = "the answer has neither a length nor chunks, so its end cannot be proven";
        return Err(unfinished(reading, Cut::Unproven(reason)));
    }
    Ok(Answer {
        status: head.status,
        content_type: reading::text(&head.headers, header::CONTENT_TYPE),
        content_encoding: reading::text(&head.headers, header::CONTENT_ENCODING),
        location: reading::text(&head.headers, header::LOCATION),
        sha256: reading.sha256(),
        bytes: reading.bytes,
        beginning: reading.beginning.freeze(),
        latency,
    })
}

fn unfinished(reading: Reading, cut: Cut) -> AskError {
    AskError::Unfinished(Box::new(reading.fragment(cut)))
}

fn in_words(error: &hyper::Error) -> &'static str {
    if error.is_parse() {
        "its head is not valid HTTP, or larger than this program reads"
    } else if error.is_incomplete_message() || error.is_closed() || ended(error) {
        "the connection was closed before the answer was complete"
    } else {
        "the connection failed"
    }
}

/// Whether a body ended before its time.
fn ended(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|source| source.kind() == io::ErrorKind::UnexpectedEof)
}
