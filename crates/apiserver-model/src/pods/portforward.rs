//! `pods/portforward` over a WebSocket: two channels for each port, data and error, each of which starts with the port as
//! two bytes, low byte first (cri-streaming, pkg/streaming/portforward/websocket.go).

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use http::request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::responder::{self, End};
use super::websocket::{Socket, close, frame, upgrade};
use crate::failure::Failure;
use crate::faults::Fault;
use crate::object;
use crate::requests::{Answer, Call, Target};
use crate::state::{Shared, State};

/// The subprotocol that kubelets speak on this path; v5 is not among them.
const PROTOCOL: &str = "v4.channel.k8s.io";

/// Switches to a WebSocket and forwards in the background.
pub(crate) fn answer(
    shared: &Arc<Shared>,
    call: &Call,
    target: &Target,
    parts: request::Parts,
) -> Result<Answer, Failure> {
    let (uid, container) = shared.with(|state| {
        let pod = state.live(target)?;
        if !object::has(&pod, "/spec/nodeName") {
            // kubernetes, pkg/registry/core/pod/strategy.go, `streamLocation`.
            return Err(Failure::bad_request(format!(
                "pod {} does not have a host assigned",
                target.name
            )));
        }
        let uid = object::uid(&pod).to_owned();
        let container = super::running_container(state, &target.namespace, &target.name);
        Ok((uid, container))
    })?;
    let wanted: Result<Vec<u16>, _> = call.parameter("ports").split(',').map(str::parse).collect();
    let wanted =
        wanted.map_err(|_| Failure::bad_request(r#"query parameter "ports" is required"#))?;
    let forward = Forward {
        shared: Arc::clone(shared),
        target: target.clone(),
        uid,
        container,
        ports: wanted,
        fault: call.fault.clone(),
    };
    upgrade(parts, PROTOCOL, |socket| forward.run(socket))
}

/// One client's forwarded ports.
struct Forward {
    shared: Arc<Shared>,
    target: Target,
    uid: String,
    container: Option<String>,
    ports: Vec<u16>,
    fault: Option<Fault>,
}

/// From a port's task to the socket.
enum Event {
    Data(u8, Bytes),
    End(usize, End),
}

impl Forward {
    async fn run(self, mut socket: Socket) {
        let (events, mut received) = mpsc::channel(1);
        let mut writers = Vec::new();
        for (index, port) in self.ports.iter().enumerate() {
            let data = channel(index);
            if socket.send(port_frame(data, *port)).await.is_err()
                || socket.send(port_frame(data + 1, *port)).await.is_err()
            {
                return;
            }
            writers.push(Some(self.connect(index, events.clone())));
        }
        let mut open = self.ports.len();
        let mut changes = self.shared.changes();
        let (mut down, mut up) = match self.fault {
            Some(Fault::CutDown(bytes)) => (bytes, usize::MAX),
            Some(Fault::CutUp(bytes)) => (usize::MAX, bytes),
            _ => (usize::MAX, usize::MAX),
        };
        while open > 0 {
            tokio::select! {
                biased;
                event = received.recv() => match event {
                    Some(Event::Data(channel, bytes)) => {
                        self.shared.while_frozen().await;
                        if bytes.len() >= down {
                            let _ = socket.send(frame(channel, &bytes[..down])).await;
                            return;
                        }
                        down -= bytes.len();
                        if socket.send(frame(channel, &bytes)).await.is_err() {
                            return;
                        }
                    }
                    Some(Event::End(_, End::Cut)) | None => return,
                    Some(Event::End(index, end)) => {
                        open -= 1;
                        if end == End::Refused {
                            let text = self.refusal(self.ports[index]);
                            let _ = socket.send(frame(channel(index) + 1, text.as_bytes())).await;
                        }
                    }
                },
                message = socket.next() => match message {
                    Some(Ok(Message::Binary(bytes))) => {
                        let payload = bytes.len().saturating_sub(1);
                        let passed = payload.min(up);
                        deliver(&mut writers, &bytes[..bytes.len().min(1 + passed)]).await;
                        if passed < payload {
                            return;
                        }
                        up -= passed;
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                () = changes.raised() => {
                    if !self.is_still_running() {
                        break;
                    }
                }
            }
        }
        close(socket, None).await;
    }

    /// Whether the container that ran at the beginning runs on.
    fn is_still_running(&self) -> bool {
        let Target {
            namespace, name, ..
        } = &self.target;
        let running = |state: &mut State| super::running_container(state, namespace, name);
        self.shared.with(running) == self.container
    }

    /// Connects a port to the pod's server; returns the way to it.
    fn connect(&self, index: usize, events: mpsc::Sender<Event>) -> WriteHalf<DuplexStream> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (reader, writer) = tokio::io::split(near);
        let (shared, uid) = (Arc::clone(&self.shared), self.uid.clone());
        let target = self.target.clone();
        let container = self.container.clone();
        tokio::spawn(async move {
            let server = async {
                let pod = (
                    target.namespace.as_str(),
                    target.name.as_str(),
                    uid.as_str(),
                );
                responder::serve(&shared, pod, container.as_deref(), far).await
            };
            let (end, _) = tokio::join!(server, pump(reader, channel(index), &events));
            let _ = events.send(Event::End(index, end)).await;
        });
        writer
    }

    /// What containerd says, inside of what the kubelet's streaming server says.
    fn refusal(&self, port: u16) -> String {
        let sandbox = self.shared.with(|state| {
            let pod = state.pod(&self.target.namespace, &self.target.name)?;
            Some(
                state
                    .kubelet
                    .runtimes
                    .get(object::uid(&pod))?
                    .sandbox_id
                    .clone(),
            )
        });
        let sandbox = sandbox.unwrap_or_default();
        let refused = |address: &str| format!("{address}:{port}: connect: connection refused");
        format!(
            "error forwarding port {port} to pod {sandbox}, uid : failed to execute portforward in network namespace \
             \"/var/run/netns/cni-00000000-0000-0000-0000-000000000000\": failed to connect to localhost:{port} inside \
             namespace {sandbox:?}, IPv4: dial tcp4 {} IPv6 dial tcp6 {} ",
            refused("127.0.0.1"),
            refused("[::1]"),
        )
    }
}

/// From the pod's server to the socket.
async fn pump(
    mut reader: ReadHalf<DuplexStream>,
    channel: u8,
    events: &mpsc::Sender<Event>,
) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(32 * 1024);
    while reader.read_buf(&mut buffer).await? > 0 {
        let bytes = buffer.split().freeze();
        buffer.reserve(32 * 1024);
        if events.send(Event::Data(channel, bytes)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// From the socket to a pod's server.
async fn deliver(writers: &mut [Option<WriteHalf<DuplexStream>>], bytes: &[u8]) {
    let Some((channel, bytes)) = bytes.split_first() else {
        return;
    };
    let writer = writers
        .get_mut(usize::from(channel / 2))
        .and_then(Option::as_mut);
    if let Some(writer) = writer {
        // A server that is gone says so by its end of the connection.
        let _ = writer.write_all(bytes).await;
    }
}

fn channel(index: usize) -> u8 {
    u8::try_from(2 * index).unwrap()
}

fn port_frame(channel: u8, port: u16) -> Message {
    frame(channel, &port.to_le_bytes())
}
