use std::io::{self, Write};

use super::testing::streams;
use super::*;

fn environment(no_color: &str, term: &str) -> Environment {
    Environment {
        no_color: Some(no_color.into()),
        term: Some(term.into()),
        ci: None,
    }
}

#[test]
fn colour_follows_the_flag_then_the_environment_then_the_stream() {
    use ColorChoice::{Always, Auto, Never};
    let table = [
        (Auto, "", "xterm", true, true),
        (Auto, "", "xterm", false, false),
        (Auto, "1", "xterm", true, false),
        (Auto, "", "dumb", true, false),
        (Always, "1", "dumb", false, true),
        (Never, "", "xterm", true, false),
    ];
    for (choice, no_color, term, is_terminal, expected) in table {
        let (mut streams, _, _) = streams(Some((24, 80)), "");
        streams.output_is_terminal = is_terminal;
        let ui = Ui::new(streams, choice, environment(no_color, term));
        assert_eq!(
            ui.has_colour(Stream::Stdout),
            expected,
            "{choice:?} NO_COLOR={no_color} TERM={term} terminal={is_terminal}"
        );
    }
}

#[test]
fn the_two_streams_are_decided_apart() {
    let (mut streams, _, _) = streams(Some((24, 80)), "");
    streams.output_is_terminal = false;
    let ui = Ui::new(streams, ColorChoice::Auto, environment("", "xterm"));
    assert!(!ui.has_colour(Stream::Stdout));
    assert!(ui.has_colour(Stream::Stderr));
}

#[test]
fn only_an_explicit_yes_confirms() {
    let table = [
        ("y\n", Confirmation::Yes),
        ("Yes\n", Confirmation::Yes),
        ("\n", Confirmation::No),
        ("n\n", Confirmation::No),
        ("yellow\n", Confirmation::No),
        ("", Confirmation::No),
    ];
    for (input, expected) in table {
        let (streams, _, errors) = streams(Some((24, 80)), input);
        let ui = Ui::new(streams, ColorChoice::Never, Environment::default());
        assert_eq!(ui.confirm("Delete it?"), expected, "{input:?}");
        assert!(errors.text().starts_with("Delete it? [y/N] "));
    }
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let (mut streams, _, errors) = streams(Some((24, 80)), "y\n");
    streams.input_is_terminal = false;
    let ui = Ui::new(streams, ColorChoice::Never, Environment::default());
    assert_eq!(ui.confirm("Delete it?"), Confirmation::NotATerminal);
    assert_eq!(errors.text(), "");
}

#[test]
fn without_a_terminal_lines_have_no_limit() {
    let (streams, _, _) = streams(None, "");
    let ui = Ui::new(streams, ColorChoice::Never, Environment::default());
    assert_eq!(ui.width(), usize::MAX);
}

struct Failing(io::ErrorKind);

impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_left_is_told_apart_from_a_full_disk() {
    let write = |kind| {
        let (mut streams, _, _) = streams(None, "");
        streams.output = Box::new(Failing(kind));
        Ui::new(streams, ColorChoice::Never, Environment::default()).write_output("x")
    };
    assert!(matches!(
        write(io::ErrorKind::BrokenPipe),
        Err(OutputError::Closed)
    ));
    assert!(matches!(
        write(io::ErrorKind::StorageFull),
        Err(OutputError::Failed(_))
    ));
}
