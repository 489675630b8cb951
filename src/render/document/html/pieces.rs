//! The building blocks of a page.

use std::fmt::Display;

use crate::figures::{percent, took};
use crate::render::document::markup::Markup;
use crate::render::document::story::Clip;

/// The height of a strip, in units of its picture.
pub(in crate::render::document) const HEIGHT: usize = 20;

/// The patterns that distinguish states and phases without colour.
pub(in crate::render::document) const PATTERNS: &str = r#"<defs>
<pattern id="wrong" width="12" height="10" patternUnits="userSpaceOnUse"><path class="p-wrong" d="M0 0h12v10H0z"/><path class="p-page" fill="none" stroke-width="1.5" d="M2 1l8 8M10 1l-8 8"/></pattern>
<pattern id="failing" width="12" height="10" patternUnits="userSpaceOnUse"><path class="p-failing" stroke-width="4" d="M-3 12.500 L15 -2.500M-9 7.500L3 -2.500M9 12.500L21 2.500"/></pattern>
<pattern id="silent" width="12" height="5" patternUnits="userSpaceOnUse"><path class="p-silent" d="M0 0h12v2H0z"/></pattern>
<pattern id="unknown" width="12" height="10" patternUnits="userSpaceOnUse"><path class="p-unknown" d="M2 1h4v3H2zM8 6h4v3H8z"/></pattern>
<pattern id="some" width="8" height="8" patternUnits="userSpaceOnUse"><path class="p-failing" stroke-width="0" d="M0 0h3v8H0z"/></pattern>
<pattern id="b" width="12" height="4" patternUnits="userSpaceOnUse"><path class="p-b" d="M0 0h12v3H0z"/></pattern>
<pattern id="c" width="8" height="8" patternUnits="userSpaceOnUse"><path class="p-c" d="M0 0h5v8H0z"/></pattern>
</defs>"#;

/// A figure of the report: `pointer` is its position there (RFC 6901). Programs and people read its
/// value from the same element.
pub(super) fn figure(
    markup: &mut Markup,
    pointer: impl Display,
    value: impl Display,
    shown: impl Display,
) {
    markup
        .raw("<data value=\"")
        .text(value)
        .raw("\" data-figure=\"")
        .text(pointer)
        .raw("\">")
        .text(shown)
        .raw("</data>");
}

/// A time of the report in milliseconds; a dash if it is unknown.
pub(super) fn time(markup: &mut Markup, pointer: impl Display, milliseconds: Option<u64>) {
    match milliseconds {
        Some(milliseconds) => figure(markup, pointer, milliseconds, took(milliseconds)),
        None => figure(markup, pointer, "null", "–"),
    }
}

/// A time that only probes measure; a dash, not zero, if there were none.
pub(super) fn measured(
    markup: &mut Markup,
    pointer: impl Display,
    milliseconds: u64,
    is_measured: bool,
) {
    if is_measured {
        time(markup, pointer, Some(milliseconds));
    } else {
        figure(markup, pointer, milliseconds, "–");
    }
}

/// A share between 0 and 1, marked if it covers only the known part.
pub(super) fn share(
    markup: &mut Markup,
    pointer: impl Display,
    share: Option<f64>,
    is_all_known: bool,
) {
    let of_known = if is_all_known { "" } else { " of known probes" };
    match share {
        None => figure(markup, pointer, "null", "–"),
        Some(share) => {
            let shown = format!("{}{of_known}", percent(share));
            figure(markup, pointer, share, shown);
        }
    }
}

/// A term and its description.
pub(super) fn term(markup: &mut Markup, term: &'static str, description: impl Display) {
    markup
        .raw("<dt>")
        .raw(term)
        .raw("</dt><dd>")
        .prose(description)
        .raw("</dd>");
}

/// A column of a table, by its title.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// A column of words.
    Words(&'static str),
    /// A right-aligned column of numbers.
    Numbers(&'static str),
}

/// The beginning of a table that may be wider than the page.
pub(super) fn begin_table(markup: &mut Markup, caption: &'static str, columns: &[Column]) {
    markup
        .raw("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"")
        .text(caption)
        .raw("\"><table><caption>")
        .raw(caption)
        .raw("</caption><thead><tr>");
    for column in columns {
        match column {
            Column::Words(title) => markup.raw("<th scope=\"col\">").raw(title),
            Column::Numbers(title) => markup.raw("<th scope=\"col\" class=\"n\">").raw(title),
        };
        markup.raw("</th>");
    }
    markup.raw("</tr></thead><tbody>");
}

/// The end of such a table.
pub(super) fn end_table(markup: &mut Markup) {
    markup.raw("</tbody></table></div>\n");
}

/// The text, or a dash if it is missing or empty.
pub(super) fn or_dash(text: Option<&str>) -> &str {
    text.filter(|text| !text.is_empty()).unwrap_or("–")
}

/// The axis below strips or bars, with marks at round times since `zero_ms`.
pub(super) fn axis(markup: &mut Markup, clip: &Clip, zero_ms: u64) {
    markup.raw("<div class=\"axis\" aria-hidden=\"true\">");
    for mark in clip.marks(zero_ms) {
        let share = clip.at(mark.at_ms) * 1_000 / clip.columns.max(1);
        // A label must stay within the page.
        let class = match share {
            0..50 => "first",
            50..950 => "",
            _ => "last",
        };
        markup
            .raw("<span class=\"")
            .raw(class)
            .raw("\" style=\"left:")
            .text(format_args!("{}.{}%", share / 10, share % 10))
            .raw("\">")
            .text(mark.label)
            .raw("</span>");
    }
    markup.raw("</div>\n");
}
