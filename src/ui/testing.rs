//! A `Ui` on buffers.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::{ColorChoice, Environment, Streams, Ui};

/// The output of one stream.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Everything written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Streams on buffers: no terminal unless a size is given, and an input with the answers.
pub(crate) fn streams(
    size: Option<(usize, usize)>,
    input: &'static str,
) -> (Streams, Captured, Captured) {
    let (output, errors) = (Captured::default(), Captured::default());
    let streams = Streams {
        output: Box::new(output.clone()),
        errors: Box::new(errors.clone()),
        input: Box::new(input.as_bytes()),
        output_is_terminal: size.is_some(),
        errors_is_terminal: size.is_some(),
        input_is_terminal: size.is_some(),
        size,
    };
    (streams, output, errors)
}

/// A `Ui` on buffers, without colour.
pub(crate) fn captured(size: Option<(usize, usize)>) -> (Ui, Captured, Captured) {
    let (streams, output, errors) = streams(size, "");
    let ui = Ui::new(streams, ColorChoice::Never, Environment::default());
    (ui, output, errors)
}
