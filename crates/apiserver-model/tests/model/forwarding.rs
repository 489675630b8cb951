//! Port-forwards, without a socket and over one.

use std::time::Duration;

use apiserver_model::{ApiServer, Fault, Framing, Pods, Reply, Rule};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{apply, client_over_tcp, stateful_set};

/// `GET /keys`, as far as it comes, and what the error channel says.
async fn get(client: kube::Client, pod: &str) -> (String, Option<String>) {
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let mut forward = pods.portforward(pod, &[80]).await.unwrap();
    let error = forward.take_error(80).unwrap();
    let mut stream = forward.take_stream(80).unwrap();
    stream
        .write_all(b"GET /keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    drop(stream);
    let error = tokio::time::timeout(Duration::from_secs(5), error).await;
    (String::from_utf8(answer).unwrap(), error.ok().flatten())
}

#[tokio::test(start_paused = true)]
async fn the_link_breaks_at_any_byte_in_either_direction() {
    let server = ApiServer::seeded(1);
    ready(&server).await;
    server.serve(Pods::of("web"), "/keys", Reply::ok("one\n"));
    server.fault(Rule::new(Fault::CutDown(12)).times(1));
    // The client may lose what it has received when its link breaks.
    let (answer, _) = get(server.client(), "web-0").await;
    assert!("HTTP/1.1 200".starts_with(&answer), "{answer}");
    server.fault(Rule::new(Fault::CutUp(12)).times(1));
    assert_eq!(get(server.client(), "web-0").await.0, "");
    assert!(get(server.client(), "web-0").await.0.contains("one\n"));
}

async fn ready(server: &ApiServer) {
    apply(server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
}

#[tokio::test(start_paused = true)]
async fn every_replica_gives_its_own_answer() {
    let server = ApiServer::seeded(1);
    ready(&server).await;
    server.serve(
        Pods::of("web"),
        "/keys",
        Reply::ok("one\n").framed(Framing::Close),
    );
    server.serve(
        Pods::of("web").ordinal(1),
        "/keys",
        Reply::ok("two\n").framed(Framing::Chunked),
    );
    let (answer, error) = get(server.client(), "web-0").await;
    assert_eq!(
        (answer.as_str(), error),
        (
            "HTTP/1.1 200 Scripted\r\nConnection: close\r\n\r\none\n",
            None
        )
    );
    assert!(
        get(server.client(), "web-1")
            .await
            .0
            .ends_with("\r\n\r\n4\r\ntwo\n\r\n0\r\n\r\n")
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_told_on_the_error_channel() {
    let server = ApiServer::seeded(1);
    ready(&server).await;
    let (answer, error) = get(server.client(), "web-0").await;
    assert_eq!(answer, "");
    let error = error.unwrap();
    assert!(
        error.starts_with("error forwarding port 80 to pod "),
        "{error}"
    );
    assert!(error.contains("connect: connection refused"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn bodies_end_where_the_script_ends_them() {
    let server = ApiServer::seeded(1);
    ready(&server).await;
    let replies = vec![
        Reply::ok("0123456789").closing_after(4),
        Reply::ok("0123456789").cut_after(3),
        Reply::new(500, "broken"),
    ];
    server.serve_in_turn(Pods::of("web"), "/", replies);
    assert!(
        get(server.client(), "web-0")
            .await
            .0
            .ends_with("Content-Length: 10\r\n\r\n0123")
    );
    assert!(get(server.client(), "web-0").await.0.len() < 60);
    assert!(
        get(server.client(), "web-0")
            .await
            .0
            .starts_with("HTTP/1.1 500 ")
    );
}

#[tokio::test]
async fn a_kubeconfig_reaches_the_same_server_over_tcp() {
    let server = ApiServer::listen().await;
    ready(&server).await;
    server.serve(
        Pods::of("web"),
        "/keys",
        Reply::ok("x".repeat(1000))
            .repeated(500)
            .framed(Framing::Close),
    );
    let client = client_over_tcp(&server).await;
    let (answer, error) = get(client, "web-1").await;
    assert_eq!((answer.matches('x').count(), error), (500_000, None));
}

/// A forwarded connection of which each answer is read to its end.
struct Kept {
    stream: Box<dyn tokio::io::AsyncRead + Unpin + Send>,
    writer: Box<dyn tokio::io::AsyncWrite + Unpin + Send>,
    _forward: kube::api::Portforwarder,
}

impl Kept {
    async fn open(server: &ApiServer, pod: &str) -> Self {
        let pods: Api<Pod> = Api::namespaced(server.client(), "default");
        let mut forward = pods.portforward(pod, &[80]).await.unwrap();
        let (stream, writer) = tokio::io::split(forward.take_stream(80).unwrap());
        Self {
            stream: Box::new(stream),
            writer: Box::new(writer),
            _forward: forward,
        }
    }

    /// The body of an answer with three bytes; None when the connection has ended.
    async fn get(&mut self) -> Option<String> {
        let request = b"GET /keys HTTP/1.1\r\nHost: x\r\n\r\n";
        self.writer.write_all(request).await.ok()?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(self.stream.read_u8().await.ok()?);
        }
        let mut body = [0; 3];
        self.stream.read_exact(&mut body).await.ok()?;
        Some(String::from_utf8(body.to_vec()).unwrap())
    }

    /// Waits for the end of the connection.
    async fn ended(mut self) {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_serves_several_requests() {
    let server = ApiServer::seeded(1);
    ready(&server).await;
    let turns = ["one", "two", "six"].map(Reply::ok).to_vec();
    server.serve_in_turn(Pods::of("web"), "/keys", turns);
    let mut kept = Kept::open(&server, "web-0").await;
    for body in ["one", "two", "six", "six"] {
        assert_eq!(kept.get().await.as_deref(), Some(body));
    }
    let forwards = server.requests();
    let forwards = forwards
        .iter()
        .filter(|request| request.path.ends_with("/portforward"));
    assert_eq!(forwards.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_with_its_container() {
    let server = ApiServer::seeded(1);
    let stop = Duration::from_secs(3);
    server.script(
        Pods::of("web"),
        apiserver_model::PodScript::default().stop_after(stop),
    );
    ready(&server).await;
    server.serve(Pods::of("web"), "/keys", Reply::ok("one"));
    let pods: Api<Pod> = Api::namespaced(server.client(), "default");

    let mut kept = Kept::open(&server, "web-0").await;
    let start = tokio::time::Instant::now();
    let _ = pods
        .delete("web-0", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    // As long as it stops it goes on serving.
    assert_eq!(kept.get().await.as_deref(), Some("one"));
    kept.ended().await;
    assert_eq!(start.elapsed(), stop);
    server.until_ready("default", "web", 2).await;

    let mut kept = Kept::open(&server, "web-0").await;
    assert_eq!(kept.get().await.as_deref(), Some("one"));
    server.kill_container("default", "web-0", 1);
    kept.ended().await;
    let restarted = |server: &ApiServer| {
        let pod = server.object("", "pods", "default", "web-0").unwrap();
        pod["status"]["containerStatuses"][0]["restartCount"] == 1
    };
    server.until(restarted).await;
    server.until_ready("default", "web", 2).await;

    // By force; its successor is another one.
    let mut kept = Kept::open(&server, "web-0").await;
    assert_eq!(kept.get().await.as_deref(), Some("one"));
    let force = kube::api::DeleteParams::default().grace_period(0);
    let _ = pods.delete("web-0", &force).await.unwrap();
    kept.ended().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_after_the_containers_end_is_none() {
    let server = ApiServer::seeded(1);
    ready(&server).await;
    let late = Reply::ok("one").after(Duration::from_secs(5));
    server.serve(Pods::of("web"), "/keys", late);
    let mut kept = Kept::open(&server, "web-0").await;
    let asked = tokio::spawn(async move { kept.get().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.kill_container("default", "web-0", 1);
    assert_eq!(asked.await.unwrap(), None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(server.served().is_empty());
}

#[tokio::test(start_paused = true)]
async fn forwarding_needs_two_verbs() {
    for verb in ["get", "create"] {
        let server = ApiServer::seeded(1);
        ready(&server).await;
        server.deny(verb, "pods/portforward");
        let pods: Api<Pod> = Api::namespaced(server.client(), "default");
        let status = super::refusal(pods.portforward("web-0", &[80]).await.map(drop));
        assert_eq!(status.code, 403);
        assert!(
            status
                .message
                .contains(&format!("cannot {verb} resource \"pods/portforward\"")),
            "{status:?}"
        );
    }
}
