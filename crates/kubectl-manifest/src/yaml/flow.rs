//! What stands within brackets and braces, where YAML 1.1 and 1.2 part.
//!
//! kubectl's scanner (`scannerc.go` in `go.yaml.in/yaml/v2`) ends an unquoted scalar at `?`, does
//! not start one with `:`, takes `a:]` for a scalar with a colon and a comma for part of a tag.
//! Our parser follows YAML 1.2 and reads something else, so these forms are refused.

use granit_parser::{Event, ScalarStyle, Span, StructureStyle};

/// Follows the events, to know which stand within a flow collection.
#[derive(Debug, Default)]
pub(super) struct FlowContext {
    depth: usize,
}

impl FlowContext {
    /// Takes note of the next event.
    ///
    /// # Errors
    /// Why its form is refused.
    pub(super) fn observe(
        &mut self,
        event: &Event<'_>,
        span: Span,
        text: &str,
    ) -> Result<(), &'static str> {
        if self.depth > 0 {
            check(event, span, text)?;
        }
        match event {
            // Within a flow collection there are only flow collections.
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..)
                if self.depth > 0 || *style == StructureStyle::Flow =>
            {
                self.depth += 1;
            }
            Event::SequenceEnd | Event::MappingEnd => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }
}

fn check(event: &Event<'_>, span: Span, text: &str) -> Result<(), &'static str> {
    if let Some(tag) = span.tag_span()
        && rest(text, tag).starts_with([',', '[', ']'])
    {
        return Err("put a space after the tag: kubectl reads on to the next one");
    }
    let Event::Scalar(_, ScalarStyle::Plain, ..) = event else {
        return Ok(());
    };
    let source = span.slice(text).unwrap_or_default();
    if source.starts_with(':') || source.contains('?') {
        return Err(
            "put this value in quotes: within brackets and braces, `?` and a leading `:` \
                    have a meaning of their own to kubectl (YAML 1.1)",
        );
    }
    let after = rest(text, span).trim_start_matches([' ', '\t']);
    if after
        .strip_prefix(':')
        .is_some_and(|after| after.starts_with([',', '[', ']', '{', '}']))
    {
        return Err("put a space after this, as kubectl takes the `:` for part of the text");
    }
    Ok(())
}

/// The text after a token.
fn rest(text: &str, span: Span) -> &str {
    span.byte_range()
        .and_then(|range| text.get(range.end..))
        .unwrap_or_default()
}
