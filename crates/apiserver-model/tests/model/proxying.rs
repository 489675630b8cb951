//! The API server as a pod's proxy.

use apiserver_model::{ApiServer, Framing, Pods, Reply};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value;

use super::{apply, client_over_tcp, stateful_set};

const KEYS: &str = "/api/v1/namespaces/default/pods/web-0:80/proxy/keys";

/// The answer to a request for a path; the error is the one that breaks its body.
async fn get(client: &kube::Client, path: &str) -> (Response<()>, Result<Bytes, kube::Error>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = client.send(request).await.unwrap().into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    (Response::from_parts(parts, ()), body)
}

/// The `Status` of a refused request.
async fn refusal(client: &kube::Client, path: &str) -> (u16, String, String) {
    let (head, body) = get(client, path).await;
    let status: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    let text = |field: &str| status[field].as_str().unwrap().to_owned();
    assert_eq!(status["kind"], "Status");
    (head.status().as_u16(), text("reason"), text("message"))
}

async fn ready() -> ApiServer {
    let server = ApiServer::seeded(1);
    apply(&server, &stateful_set(2)).await.unwrap();
    server.until_ready("default", "web", 2).await;
    server
}

#[tokio::test(start_paused = true)]
async fn a_pods_answer_is_passed_on() {
    let server = ready().await;
    let reply = Reply::new(418, "one\n").header("Content-Type", "text/tea");
    server.serve(Pods::of("web"), "/keys?short=yes", reply);
    let other = Reply::ok("two\n").framed(Framing::Chunked);
    server.serve(Pods::of("web").ordinal(1), "/", other);
    let (head, body) = get(&server.client(), &format!("{KEYS}?short=yes")).await;
    assert_eq!(head.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(head.headers()["content-type"], "text/tea");
    assert_eq!(head.headers()["content-length"], "4");
    assert_eq!(body.unwrap(), "one\n");
    // Without a port the first one of the container is asked.
    let path = "/api/v1/namespaces/default/pods/web-1/proxy/";
    let (head, body) = get(&server.client(), path).await;
    assert_eq!(
        (head.status(), body.unwrap()),
        (StatusCode::OK, "two\n".into())
    );
    assert!(!head.headers().contains_key("transfer-encoding"));
    assert_eq!(server.served().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_breaks_off_for_the_client() {
    let server = ready().await;
    for framing in [Framing::Length, Framing::Chunked] {
        let reply = Reply::ok("0123456789").framed(framing).closing_after(4);
        server.serve(Pods::of("web"), "/", reply);
        let (head, body) = get(&server.client(), KEYS).await;
        assert_eq!(head.status(), StatusCode::OK);
        body.unwrap_err();
    }
    // Where only the end of the connection tells the end of the body, the API server cannot know better.
    let reply = Reply::ok("0123456789").framed(Framing::Close);
    server.serve(Pods::of("web"), "/", reply.closing_after(4));
    assert_eq!(get(&server.client(), KEYS).await.1.unwrap(), "0123");
}

#[tokio::test]
async fn a_body_that_breaks_off_ends_the_connection() {
    let server = ApiServer::listen().await;
    apply(&server, &stateful_set(1)).await.unwrap();
    server.until_ready("default", "web", 1).await;
    let client = client_over_tcp(&server).await;
    server.serve(
        Pods::of("web"),
        "/",
        Reply::ok("0123456789").closing_after(4),
    );
    get(&client, KEYS).await.1.unwrap_err();
    server.serve(Pods::of("web"), "/", Reply::ok("0123456789"));
    assert_eq!(get(&client, KEYS).await.1.unwrap(), "0123456789");
}

#[tokio::test(start_paused = true)]
async fn a_closed_port_is_a_status_of_the_api_server() {
    let server = ready().await;
    let address = server.object("", "pods", "default", "web-0").unwrap();
    let address = address["status"]["podIP"].as_str().unwrap().to_owned();
    let refused = (
        503,
        "ServiceUnavailable".to_owned(),
        format!(
            "error trying to reach service: dial tcp {address}:80: connect: connection refused"
        ),
    );
    assert_eq!(refusal(&server.client(), KEYS).await, refused);
    // The same while the container is away; the pod keeps its address.
    server.serve(Pods::of("web"), "/", Reply::ok("one\n"));
    server.kill_container("default", "web-0", 1);
    assert_eq!(refusal(&server.client(), KEYS).await, refused);
    server.serve(Pods::of("web"), "/", Reply::ok("one\n").closing_after(0));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_ends_takes_its_connections_along() {
    let server = ready().await;
    server.serve(Pods::of("web"), "/", Reply::silence());
    let client = server.client();
    let asked = tokio::spawn(async move { refusal(&client, KEYS).await });
    server
        .until(|server| server.requests().iter().any(|request| request.path == KEYS))
        .await;
    tokio::task::yield_now().await;
    server.kill_container("default", "web-0", 1);
    let (status, _, message) = asked.await.unwrap();
    assert_eq!(
        (status, message.as_str()),
        (503, "error trying to reach service: EOF")
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_way_to_a_pod_is_refused() {
    let server = ready().await;
    let client = server.client();
    let pods = "/api/v1/namespaces/default/pods";
    let absent = refusal(&client, &format!("{pods}/web-9:80/proxy/")).await;
    assert_eq!(
        (absent.0, absent.2.as_str()),
        (404, "pods \"web-9\" not found")
    );
    let odd = refusal(&client, &format!("{pods}/a:b:c:d/proxy/")).await;
    assert_eq!(
        (odd.0, odd.2.as_str()),
        (400, "invalid pod request \"a:b:c:d\"")
    );
    server.deny("get", "pods/proxy");
    let denied = refusal(&client, KEYS).await;
    let message = "pods \"web-0:80\" is forbidden: User \"kubernetes-admin\" cannot get resource \"pods/proxy\" in API \
                   group \"\" in the namespace \"default\"";
    assert_eq!((denied.0, denied.2.as_str()), (403, message));
}

#[tokio::test(start_paused = true)]
async fn a_redirect_leads_back_through_the_proxy() {
    let server = ready().await;
    let reply = Reply::new(301, "moved").header("Location", "/elsewhere");
    server.serve(Pods::of("web"), "/", reply);
    let (head, _) = get(&server.client(), KEYS).await;
    assert_eq!(head.status(), StatusCode::MOVED_PERMANENTLY);
    let location = "/api/v1/namespaces/default/pods/web-0:80/proxy/elsewhere";
    assert_eq!(head.headers()["location"], location);
}

#[tokio::test(start_paused = true)]
async fn the_tags_of_a_page_are_printed_anew() {
    let server = ready().await;
    let page =
        |text: &str| Reply::ok(text.to_owned()).header("Content-Type", "text/html; charset=utf-8");
    let sent = "<!DOCTYPE html>\n<P ID=a Class='x y'>it's & y</P><br/><a href=\"/k\">k</a><a href=\"k\">k</a>";
    server.serve(Pods::of("web"), "/", page(sent));
    let (_, body) = get(&server.client(), KEYS).await;
    let root = "/api/v1/namespaces/default/pods/web-0:80/proxy";
    let passed = format!(
        "<!DOCTYPE html>\n<p id=\"a\" class=\"x y\">it's & y</P><br/><a href=\"{root}/k\">k</a><a href=\"k\">k</a>"
    );
    assert_eq!(body.unwrap(), passed);
    server.serve(Pods::of("web"), "/", page(sent).closing_after(4));
    let (head, body) = get(&server.client(), KEYS).await;
    let status: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert_eq!(head.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        (&status["message"], &status["reason"]),
        (&"unexpected EOF".into(), &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn what_has_no_type_gets_one_unless_it_comes_in_chunks() {
    let server = ready().await;
    let kinds = [
        (Reply::ok("1\n"), Some("text/plain; charset=utf-8")),
        (
            Reply::ok("1\n").framed(Framing::Close),
            Some("text/plain; charset=utf-8"),
        ),
        (Reply::ok("<html>"), Some("text/html; charset=utf-8")),
        (Reply::ok("\u{1}"), Some("application/octet-stream")),
        (Reply::ok("1\n").framed(Framing::Chunked), None),
        (Reply::ok(""), None),
    ];
    for (reply, kind) in kinds {
        server.serve(Pods::of("web"), "/", reply.clone());
        let (head, body) = get(&server.client(), KEYS).await;
        let found = head.headers().get("content-type");
        assert_eq!(
            found.map(|found| found.to_str().unwrap()),
            kind,
            "{reply:?}"
        );
        assert_eq!(body.unwrap(), reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn the_bare_proxy_leads_to_the_root() {
    let server = ready().await;
    let (head, _) = get(&server.client(), KEYS.strip_suffix("/keys").unwrap()).await;
    assert_eq!(head.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(
        head.headers()["location"],
        "/api/v1/namespaces/default/pods/web-0:80/proxy/"
    );
}
