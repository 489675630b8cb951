//! The server behind every pod of a fake node: one small file of keys, the same for all.
//!
//! A connection stays open for as long as its client wants, as in the exercise's server.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

/// The path with the keys; there is nothing else.
pub(crate) const PATH: &str = "/keys";
/// Five whole numbers, one per line, as the exercise's server generates them.
const KEYS: &str = "11213\n4523\n9689\n2281\n13466\n";

/// Serves until the process is ended.
///
/// # Errors
/// When the port cannot be listened on.
pub(crate) fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    for connection in listener.incoming().flatten() {
        // A connection that breaks off early needs no answer.
        thread::spawn(move || answer_all(&connection));
    }
    Ok(())
}

fn answer_all(connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut requests = BufReader::new(connection);
    let mut answers = connection;
    while let Some(request) = Request::read(&mut requests)? {
        answers.write_all(request.answer().as_bytes())?;
        if request.is_last {
            break;
        }
    }
    Ok(())
}

/// The parts of a request that are read; a GET has no body.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    target: String,
    /// The client wants the connection closed after the answer.
    is_last: bool,
}

impl Request {
    /// The next request, or `None` at the end of the connection.
    fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut is_last = false;
        loop {
            line.clear();
            from.read_line(&mut line)?;
            let header = line.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                return Ok(Some(Self { target, is_last }));
            }
            is_last |= header
                .strip_prefix("connection:")
                .is_some_and(|value| value.trim() == "close");
        }
    }

    fn answer(&self) -> String {
        let (status, body) = if self.target == PATH {
            ("200 OK", KEYS)
        } else {
            ("404 Not Found", "")
        };
        let close = if self.is_last {
            "Connection: close\r\n"
        } else {
            ""
        };
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
             {close}\r\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut text: &[u8]) -> Vec<Request> {
        std::iter::from_fn(|| Request::read(&mut text).unwrap()).collect()
    }

    #[test]
    fn a_connection_carries_requests_until_the_client_has_enough() {
        let requests = read(
            b"GET /keys HTTP/1.1\r\nHost: pod\r\n\r\nGET /other HTTP/1.1\r\nConnection: Close\r\n\r\n",
        );
        let [first, second] = requests.as_slice() else {
            panic!("{requests:?}");
        };
        assert!(!first.is_last && second.is_last);
        let answer = first.answer();
        assert!(
            answer.ends_with(&format!("\r\n\r\n{KEYS}"))
                && answer.contains(&format!("Content-Length: {}\r\n", KEYS.len())),
            "{answer}"
        );
        let answer = second.answer();
        assert!(
            answer.starts_with("HTTP/1.1 404 ") && answer.contains("Connection: close\r\n"),
            "{answer}"
        );
    }

    #[test]
    fn the_keys_are_five_whole_numbers() {
        let keys: Vec<u32> = KEYS.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(keys.len(), 5);
    }
}
