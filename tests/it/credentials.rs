//! Credentials that were sent are never shown, even if a server repeats them.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::Cryptoctl;

#[tokio::test]
async fn credentials_in_a_servers_answer_are_hidden() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => request.push(byte),
                    Err(_) => break,
                }
            }
            let request = String::from_utf8(request).unwrap().replace("\r\n", " ");
            let body = serde_json::json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
                "reason": "Forbidden", "message": format!("{request} is tom:a-password, a-password"),
            })
            .to_string();
            let length = body.len();
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    for output in ["text", "json"] {
        let output = Cryptoctl::without_cluster()
            .args(["up", "-o", output, "--server"])
            .arg(format!("http://tom:a-password@{address}"))
            .run()
            .await
            .expect_code(1);
        let said = output.stdout + &output.stderr;
        assert!(said.contains("authorization: Basic ***"), "{said}");
        assert!(!said.contains("a-password"), "{said}");
        assert!(!said.contains("dG9tOmEtcGFzc3dvcmQ"), "{said}");
    }
    server.abort();
}
