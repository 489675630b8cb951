//! The upgrade to a WebSocket, which forwarding and executing have in common.

use std::time::Duration;

use bytes::{BufMut, BytesMut};
use futures::StreamExt;
use http::{HeaderValue, Request, Response, StatusCode, header, request};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role};

use crate::failure::Failure;
use crate::requests::{Answer, Body};

/// How long a closed socket is still read.
const LINGER: Duration = Duration::from_secs(1);

/// The server's side.
pub(super) type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Switches to a subprotocol; the talk takes place in the background.
pub(super) fn upgrade<T: Future<Output = ()> + Send>(
    parts: request::Parts,
    protocol: &'static str,
    talk: impl FnOnce(Socket) -> T + Send + 'static,
) -> Result<Answer, Failure> {
    let Some(key) = parts.headers.get(header::SEC_WEBSOCKET_KEY) else {
        return Err(Failure::bad_request("Upgrade request required"));
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(Request::from_parts(parts, ()));
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let stream = TokioIo::new(upgraded);
            talk(WebSocketStream::from_raw_socket(stream, Role::Server, None).await).await;
        }
    });
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.parse().unwrap());
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(protocol),
    );
    Ok(response)
}

/// A message of one channel.
pub(super) fn frame(channel: u8, bytes: &[u8]) -> Message {
    let mut frame = BytesMut::with_capacity(1 + bytes.len());
    frame.put_u8(channel);
    frame.put_slice(bytes);
    Message::binary(frame.freeze())
}

/// Says goodbye, and reads for a moment: a connection that is closed at once would fail the client's last writes
/// before it reads how it ended.
pub(super) async fn close(mut socket: Socket, end: Option<CloseFrame>) {
    let _ = socket.close(end).await;
    let farewell = async { while socket.next().await.is_some_and(|message| message.is_ok()) {} };
    let _ = tokio::time::timeout(LINGER, farewell).await;
}
