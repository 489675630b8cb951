//! The server's half of SOCKS5 (RFC 1928) with names and passwords (RFC 1929).

use super::identity::Via;
use super::stream::{Stream, read_byte};

const NO_AUTHENTICATION: u8 = 0;
const NAME_AND_PASSWORD: u8 = 2;
const IPV4: u8 = 1;
const DOMAIN: u8 = 3;
const IPV6: u8 = 4;

/// Agrees to everything; afterwards the stream belongs to whoever is asked for.
pub(crate) fn accept(stream: &mut dyn Stream) -> Option<Via> {
    let _version = read_byte(stream)?;
    let methods = counted(stream)?;
    let credentials = if methods.contains(&NAME_AND_PASSWORD) {
        stream.write_all(&[5, NAME_AND_PASSWORD]).ok()?;
        let _version = read_byte(stream)?;
        let (name, password) = (counted(stream)?, counted(stream)?);
        stream.write_all(&[1, 0]).ok()?;
        Some(format!("{}:{}", text(&name), text(&password)))
    } else {
        stream.write_all(&[5, NO_AUTHENTICATION]).ok()?;
        None
    };
    let mut request = [0; 4];
    stream.read_exact(&mut request).ok()?;
    let host = match request[3] {
        IPV4 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).ok()?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        IPV6 => {
            let mut address = [0; 16];
            stream.read_exact(&mut address).ok()?;
            std::net::Ipv6Addr::from(address).to_string()
        }
        DOMAIN => text(&counted(stream)?),
        _ => return None,
    };
    let mut port = [0; 2];
    stream.read_exact(&mut port).ok()?;
    stream.write_all(&[5, 0, 0, IPV4, 0, 0, 0, 0, 0, 0]).ok()?;
    stream.flush().ok()?;
    Some(Via {
        kind: "socks5",
        target: format!("{host}:{}", u16::from_be_bytes(port)),
        credentials,
    })
}

/// Bytes that stand after their number.
fn counted(stream: &mut dyn Stream) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::from(read_byte(stream)?)];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
