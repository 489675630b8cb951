//! A registry on loopback without images. Repositories answer by their names, so that pulls fail in
//! the real ways:
//!
//! - with a path segment `denied`: only users with access learn whether it exists;
//! - with a path segment `slow`: the answer takes ten minutes;
//! - all others: not found.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const SLOW: Duration = Duration::from_mins(10);

/// Serves until the process is ended.
///
/// # Errors
/// When the port cannot be listened on.
pub(crate) fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for connection in listener.incoming().flatten() {
        // A connection that breaks off early needs no answer.
        thread::spawn(move || answer_request(&connection, port));
    }
    Ok(())
}

fn answer_request(connection: &TcpStream, port: u16) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut authorized = false;
    for header in lines {
        let header = header?;
        if header.is_empty() {
            break;
        }
        authorized |= header.to_ascii_lowercase().starts_with("authorization:");
    }
    let mut words = request.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let answer = Answer::to(target, authorized);
    if matches!(answer, Answer::Slow) {
        thread::sleep(SLOW);
    }
    let mut connection = connection;
    connection.write_all(answer.render(method, port).as_bytes())
}

/// The answer to a request.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Welcome,
    Token,
    TokenNeeded,
    Denied,
    Slow,
    NotFound,
}

impl Answer {
    fn to(target: &str, authorized: bool) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        let has = |segment| path.split('/').any(|part| part == segment);
        match path {
            "/v2/" | "/v2" => Self::Welcome,
            "/token" => Self::Token,
            _ if has("slow") => Self::Slow,
            // Like public registries: everyone gets a token, but it is not enough.
            _ if has("denied") && authorized => Self::Denied,
            _ if has("denied") => Self::TokenNeeded,
            _ => Self::NotFound,
        }
    }

    fn render(&self, method: &str, port: u16) -> String {
        let challenge = |error: &str| {
            format!(
                "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:{port}/token\",\
                 service=\"sandbox\",scope=\"pull\"{error}\r\n"
            )
        };
        let problem = |code: &str, message: &str| {
            format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#)
        };
        let (status, header, body) = match self {
            Self::Welcome => ("200 OK", String::new(), "{}".to_owned()),
            Self::Token => (
                "200 OK",
                String::new(),
                r#"{"token":"anonymous"}"#.to_owned(),
            ),
            Self::TokenNeeded => (
                "401 Unauthorized",
                challenge(""),
                problem("UNAUTHORIZED", "authentication required"),
            ),
            Self::Denied => (
                "401 Unauthorized",
                challenge(",error=\"insufficient_scope\""),
                problem("DENIED", "requested access to the resource is denied"),
            ),
            Self::Slow | Self::NotFound => (
                "404 Not Found",
                String::new(),
                problem("MANIFEST_UNKNOWN", "manifest unknown"),
            ),
        };
        let length = body.len();
        let body = if method == "HEAD" { "" } else { &body };
        format!(
            "HTTP/1.1 {status}\r\n{header}Content-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_answer_by_their_names() {
        let manifest = |repository: &str, authorized| {
            Answer::to(
                &format!("/v2/{repository}/manifests/1?ns=example.org"),
                authorized,
            )
        };
        assert_eq!(manifest("library/nginx", false), Answer::NotFound);
        assert_eq!(manifest("team/denied/app", false), Answer::TokenNeeded);
        assert_eq!(manifest("team/denied/app", true), Answer::Denied);
        assert_eq!(manifest("slow/app", false), Answer::Slow);
        assert_eq!(manifest("team/not-denied", false), Answer::NotFound);
        assert_eq!(Answer::to("/v2/", false), Answer::Welcome);
    }

    #[test]
    fn an_answer_to_head_has_no_body_but_its_length() {
        let text = Answer::NotFound.render("HEAD", 5000);
        assert!(
            text.ends_with("\r\n\r\n") && text.contains("Content-Length: 69\r\n"),
            "{text}"
        );
    }
}
