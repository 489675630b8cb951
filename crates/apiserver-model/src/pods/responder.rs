//! The scripted HTTP/1.1 server inside a pod. It is written by hand, since it must also answer wrongly.

use std::fmt::Write;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::Served;
use super::reply::{Framing, Reply};
use crate::object;
use crate::state::{Shared, State};

/// How a forwarded connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// As TCP connections end.
    Closed,
    /// Nothing listened.
    Refused,
    /// The link to the kubelet broke.
    Cut,
}

/// Serves one connection to a pod until either side ends it, or the container that was asked is gone. Without a running
/// container nothing listens.
pub(super) async fn serve(
    shared: &Arc<Shared>,
    pod: (&str, &str, &str),
    container: Option<&str>,
    stream: DuplexStream,
) -> End {
    let Some(container) = container else {
        drop(stream);
        refuse(shared, pod);
        return End::Refused;
    };
    let mut changes = shared.changes();
    let gone = async {
        let (namespace, name, _) = pod;
        let running = |state: &mut State| super::running_container(state, namespace, name);
        while shared.with(running).as_deref() == Some(container) {
            changes.raised().await;
        }
    };
    tokio::select! {
        biased;
        () = gone => End::Closed,
        end = converse(shared, pod, stream) => end,
    }
}

async fn converse(
    shared: &Arc<Shared>,
    (namespace, name, uid): (&str, &str, &str),
    mut stream: DuplexStream,
) -> End {
    // A connection belongs to one pod, not to its successor of the same name.
    let pod_now = |state: &State| {
        state
            .pod(namespace, name)
            .filter(|pod| object::uid(pod) == uid)
    };
    let refused = shared.with(|state| pod_now(state).is_none_or(|pod| state.refuses(&pod)));
    if refused {
        refuse(shared, (namespace, name, uid));
        return End::Refused;
    }
    while let Some(path) = read_request(&mut stream).await {
        let reply = shared.with(|state| {
            let pod = pod_now(state)?;
            state.reply_of(&pod, &path)
        });
        let Some(reply) = reply else {
            return End::Closed;
        };
        if reply.silent {
            return std::future::pending().await;
        }
        let is_whole = reply.cut_after.is_none()
            && reply.close_after.is_none()
            && reply.repeat == 1
            && !reply.verbatim;
        let written = write_reply(&mut stream, &reply).await;
        if is_whole && written.is_ok() {
            shared.with(|state| {
                state.kubelet.served.push(Served {
                    at: state.now.instant,
                    pod: name.to_owned(),
                    uid: uid.to_owned(),
                    status: reply.status,
                    body: reply.body.clone(),
                });
            });
        }
        match written {
            Ok(Some(end)) => return end,
            Ok(None) => {}
            Err(_) => return End::Closed,
        }
    }
    End::Closed
}

/// Notes that nothing listened.
fn refuse(shared: &Shared, (_, name, uid): (&str, &str, &str)) {
    shared.with(|state| {
        state.kubelet.served.push(Served {
            at: state.now.instant,
            pod: name.to_owned(),
            uid: uid.to_owned(),
            status: 0,
            body: Bytes::new(),
        });
    });
}

/// Reads a request's head; the requests of the tests have no body.
async fn read_request(stream: &mut DuplexStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    head.split(' ').nth(1).map(str::to_owned)
}

/// Writes a reply; afterwards the connection ends or waits for the next request.
async fn write_reply(stream: &mut DuplexStream, reply: &Reply) -> io::Result<Option<End>> {
    tokio::time::sleep(reply.delay).await;
    if reply.verbatim {
        stream.write_all(&reply.body).await?;
        return Ok((reply.framing == Framing::Close).then_some(End::Closed));
    }
    let total = reply.repeat * reply.body.len() as u64;
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    match reply.framing {
        Framing::Length => _ = write!(head, "Content-Length: {total}\r\n"),
        Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
        Framing::Close => head += "Connection: close\r\n",
    }
    for (name, value) in &reply.headers {
        _ = write!(head, "{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;

    let end = reply.cut_after.map(|bytes| (bytes, End::Cut));
    let end = end.or_else(|| reply.close_after.map(|bytes| (bytes, End::Closed)));
    let mut left = end.as_ref().map_or(u64::MAX, |(bytes, _)| *bytes);
    for _ in 0..reply.repeat {
        let length = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(reply.body.len());
        let part = &reply.body[..length];
        left -= length as u64;
        if reply.framing == Framing::Chunked && !part.is_empty() {
            stream
                .write_all(format!("{:x}\r\n", reply.body.len()).as_bytes())
                .await?;
        }
        stream.write_all(part).await?;
        if left == 0
            && let Some((_, end)) = end
        {
            return Ok(Some(end));
        }
        if reply.framing == Framing::Chunked && !part.is_empty() {
            stream.write_all(b"\r\n").await?;
        }
    }
    if let Some((_, end)) = end {
        return Ok(Some(end));
    }
    match reply.framing {
        Framing::Chunked => stream.write_all(b"0\r\n\r\n").await.map(|()| None),
        Framing::Length => Ok(None),
        Framing::Close => Ok(Some(End::Closed)),
    }
}
