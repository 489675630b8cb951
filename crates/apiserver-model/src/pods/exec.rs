//! `pods/exec` over a WebSocket: channel 1 is stdout, 2 stderr, 3 a `Status` that tells how the command ended
//! (kubernetes, staging/src/k8s.io/cri-streaming/pkg/streaming/remotecommand). Commands print nothing here; the only one
//! with an effect is `kill`.

use std::sync::Arc;

use futures::SinkExt;
use http::{StatusCode, header, request};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::websocket::{Socket, close, frame, upgrade};
use super::{aside, log};
use crate::failure::Failure;
use crate::faults::Fault;
use crate::object;
use crate::requests::{self, Answer, Call, Target};
use crate::state::{Shared, State};

/// What the server speaks, the best first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];
const STDOUT: u8 = 1;
const STATUS: u8 = 3;
const SHELLS: [&str; 3] = ["sh", "bash", "ash"];

/// Executes a command at once, and tells how it ended when the client listens.
pub(crate) fn answer(
    shared: &Arc<Shared>,
    call: &Call,
    target: &Target,
    parts: request::Parts,
) -> Result<Answer, Failure> {
    let pod = shared.with(|state| state.live(target))?;
    let container = log::container(&pod, call.parameter("container"))?;
    if !["stdin", "stdout", "stderr"]
        .iter()
        .any(|stream| call.flag(stream))
    {
        let message = "you must specify at least 1 of stdin, stdout, stderr";
        return Ok(refused(StatusCode::BAD_REQUEST, message.to_owned()));
    }
    let offered: Vec<&str> = parts
        .headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let spoken = PROTOCOLS.into_iter().find(|one| offered.contains(one));
    let Some(protocol) = spoken.filter(|_| parts.headers.contains_key(header::SEC_WEBSOCKET_KEY))
    else {
        return Err(Failure::bad_request("Upgrade request required"));
    };
    let command = words(parts.uri.query().unwrap_or_default());
    let Some(status) = shared.with(|state| execute(state, target, &container, &command)) else {
        let message = format!("container not found ({container:?})");
        return Ok(refused(StatusCode::INTERNAL_SERVER_ERROR, message));
    };
    let limit = match call.fault {
        Some(Fault::CutDown(bytes)) => bytes,
        _ => usize::MAX,
    };
    upgrade(parts, protocol, move |socket| tell(socket, status, limit))
}

/// The kubelet's words, which the API server passes on as they are.
fn refused(status: StatusCode, message: String) -> Answer {
    let mut answer = requests::text(message);
    *answer.status_mut() = status;
    answer
}

/// The parameter `command`, which is repeated for every argument.
fn words(query: &str) -> Vec<String> {
    let pairs = query.split('&').map(requests::parameters);
    pairs
        .filter_map(|mut pair| pair.remove("command"))
        .collect()
}

/// Runs a command in the pod's running container, if there is one.
fn execute(state: &mut State, target: &Target, name: &str, command: &[String]) -> Option<Value> {
    let pod = state.pod(&target.namespace, &target.name)?;
    super::running_container(state, &target.namespace, &target.name)?;
    let script = state.kubelet.script_of(&pod);
    let lacks = |program: &str| {
        let name = program.rsplit('/').next().unwrap_or_default();
        script.lacks.iter().any(|missing| missing == name)
    };
    let argv: Vec<&str> = command.iter().map(String::as_str).collect();
    if argv.first().is_none_or(|program| lacks(program)) {
        let why = argv.first().map(|program| {
            format!("unable to start container process: exec: {program:?}: executable file not found in $PATH")
        });
        let why = why.unwrap_or_else(|| "args must not be empty".to_owned());
        return Some(not_started(&state.random.container_id(), &why));
    }
    let (inner, is_line) = match argv.as_slice() {
        [shell, "-c", line] if is_shell(shell) => (last_command(line), true),
        _ => (argv, false),
    };
    let is_built_in = is_line && inner.first() == Some(&"kill");
    match inner.as_slice() {
        ["exit", code] => return Some(ended(code)),
        [program, ..] if !is_built_in && lacks(program) => return Some(ended("127")),
        _ if !is_sigterm_to_the_first(&inner) => return Some(success()),
        _ => {}
    }
    if !script.ignores_sigterm
        && let Some(runtime) = state.kubelet.runtimes.get_mut(object::uid(&pod))
    {
        if name == aside::serving(&pod) {
            runtime.terminate(state.now);
        } else {
            runtime.restart_aside(state.now);
        }
        state.kubelet.signalled.push(target.name.clone());
        state.touched = true;
    }
    Some(success())
}

/// The last command of a line, without what only says where its output goes, or that nobody waits.
fn last_command(line: &str) -> Vec<&str> {
    let last = line.rsplit(';').next().unwrap_or_default();
    last.split([' ', '(', ')'])
        .filter(|word| !word.is_empty() && !word.contains('>') && *word != "&")
        .collect()
}

fn is_shell(program: &str) -> bool {
    SHELLS.contains(&program.rsplit('/').next().unwrap_or_default())
}

/// `kill 1`, `kill -TERM 1`, `kill -s TERM 1` and the like.
fn is_sigterm_to_the_first(words: &[&str]) -> bool {
    let words = match words {
        ["exec", rest @ ..] => rest,
        all => all,
    };
    let [program, arguments @ ..] = words else {
        return false;
    };
    let (signal, processes) = match arguments {
        ["-s" | "-n", signal, rest @ ..] => (*signal, rest),
        [first, rest @ ..] if first.starts_with('-') => (&first[1..], rest),
        all => ("TERM", all),
    };
    let signal = signal.strip_prefix("SIG").unwrap_or(signal);
    program.rsplit('/').next() == Some("kill")
        && ["TERM", "15"].contains(&signal)
        && processes.contains(&"1")
}

fn success() -> Value {
    json!({ "metadata": {}, "status": "Success" })
}

/// A command that ended with another code than 0 (apimachinery, pkg/util/remotecommand).
fn ended(code: &str) -> Value {
    if code == "0" {
        return success();
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: command terminated with exit code {code}"),
        "details": { "causes": [{ "reason": "ExitCode", "message": code }] },
    })
}

/// A command that containerd could not start; both the kubelet and the API server call that an internal error.
fn not_started(id: &str, why: &str) -> Value {
    let inner = format!(
        "Internal error occurred: error executing command in container: failed to exec in container: failed to start exec \
         {id:?}: OCI runtime exec failed: exec failed: {why}: unknown"
    );
    Failure::internal(&inner).body
}

async fn tell(mut socket: Socket, status: Value, limit: usize) {
    let status = status.to_string();
    // An empty message opens the stream.
    if socket.send(frame(STDOUT, b"")).await.is_err() {
        return;
    }
    let told = &status.as_bytes()[..status.len().min(limit)];
    if socket.send(frame(STATUS, told)).await.is_err() || told.len() < status.len() {
        return;
    }
    let end = CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    };
    close(socket, Some(end)).await;
}
