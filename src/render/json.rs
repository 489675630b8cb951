//! Events as JSON lines: the contract is `docs/events.md`.

use std::fmt::Write;

use crate::event::Event;
use crate::ui::is_hidden;

/// An event as one line, including the line ending.
///
/// # Errors
/// An event that cannot be written as JSON, which is a bug.
pub(crate) fn line(event: &Event) -> Result<String, serde_json::Error> {
    let mut line = escaped(&serde_json::to_string(event)?);
    line.push('\n');
    Ok(line)
}

/// The same JSON without control sequences of terminals and build services. These characters occur only
/// in strings, so escaping them loses nothing.
fn escaped(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    let mut last = ' ';
    for character in json.chars() {
        if is_hidden(character) || (character == '#' && last == '#') {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(character);
        }
        last = character;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escaping_loses_nothing_and_hides_nothing(text in any::<String>()) {
            let line = escaped(&serde_json::to_string(&text).unwrap());
            prop_assert!(!line.chars().any(is_hidden));
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }

    #[test]
    fn commands_of_build_services_are_escaped() {
        let text = "##vso[task.setvariable]";
        let line = escaped(&serde_json::to_string(text).unwrap());
        assert!(!line.contains("##"));
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
