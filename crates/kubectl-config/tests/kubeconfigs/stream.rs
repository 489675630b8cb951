//! Byte streams whose first byte tells the protocol, and the little of HTTP/1.1 that the recorder speaks.

use std::io::{Read, Write};

/// Anything that can be read from and written to.
pub(crate) trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A stream and one byte that was already taken from it.
pub(crate) struct Peeked {
    first: Option<u8>,
    rest: Box<dyn Stream>,
}

impl Peeked {
    /// Waits for the first byte; none at the end of the stream.
    pub(crate) fn new(mut rest: Box<dyn Stream>) -> Option<(u8, Self)> {
        let mut byte = [0];
        rest.read_exact(&mut byte).ok()?;
        let first = byte[0];
        Some((
            first,
            Self {
                first: Some(first),
                rest,
            },
        ))
    }
}

impl Read for Peeked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match (self.first.take(), buffer.first_mut()) {
            (Some(byte), Some(place)) => {
                *place = byte;
                Ok(1)
            }
            (first, _) => {
                self.first = first;
                self.rest.read(buffer)
            }
        }
    }
}

impl Write for Peeked {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.rest.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.rest.flush()
    }
}

/// The head of a request, and its body.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// Reads one; none when the stream ends before.
    pub(crate) fn read(stream: &mut dyn Stream) -> Option<Self> {
        // Byte by byte: what follows the head may be another protocol's.
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(read_byte(stream)?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ').map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request = Self {
            method,
            target,
            headers,
            body: String::new(),
        };
        let length = request
            .header("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        request.body = String::from_utf8_lossy(&body).into_owned();
        Some(request)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The next byte; none at the end of the stream.
pub(crate) fn read_byte(stream: &mut dyn Stream) -> Option<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

/// Answers and says that the connection ends.
pub(crate) fn answer(stream: &mut dyn Stream, status: &str, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}
