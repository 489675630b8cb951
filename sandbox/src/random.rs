//! Random text from the kernel.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::files::FileError;

/// Draws `BYTES` random bytes.
pub(crate) fn bytes<const BYTES: usize>() -> Result<[u8; BYTES], FileError> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; BYTES];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(FileError::at("read", path))?;
    Ok(bytes)
}

/// A secret of 256 bits, as hexadecimal text.
pub(crate) fn token() -> Result<String, FileError> {
    Ok(hexadecimal(&bytes::<32>()?))
}

/// Bytes as lower-case hexadecimal text.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
