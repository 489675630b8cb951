//! The building blocks of a page.

use std::fmt::Display;

use maud::{Markup, Render, html};

use crate::figures::{percent, took};
use crate::render::document::story::Clip;
use crate::render::document::text::{Prose, Text};

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
pub(super) fn figure(pointer: impl Display, value: impl Display, shown: impl Display) -> Markup {
    html! {
        data value=(Text(value)) data-figure=(Text(pointer)) { (Text(shown)) }
    }
}

/// A time of the report in milliseconds; a dash if it is unknown.
pub(super) fn time(pointer: impl Display, milliseconds: Option<u64>) -> Markup {
    match milliseconds {
        Some(milliseconds) => figure(pointer, milliseconds, took(milliseconds)),
        None => figure(pointer, "null", "–"),
    }
}

/// A time that only probes measure; a dash, not zero, if there were none.
pub(super) fn measured(pointer: impl Display, milliseconds: u64, is_measured: bool) -> Markup {
    if is_measured {
        time(pointer, Some(milliseconds))
    } else {
        figure(pointer, milliseconds, "–")
    }
}

/// A share between 0 and 1, marked if it covers only the known part.
pub(super) fn share(pointer: impl Display, share: Option<f64>, is_all_known: bool) -> Markup {
    let of_known = if is_all_known { "" } else { " of known probes" };
    match share {
        None => figure(pointer, "null", "–"),
        Some(share) => figure(pointer, share, format_args!("{}{of_known}", percent(share))),
    }
}

/// A term and its description.
pub(super) fn term(term: &str, description: impl Render) -> Markup {
    html! {
        dt { (term) }
        dd { (description) }
    }
}

/// A list of sentences.
pub(super) fn list(sentences: &[impl Display]) -> Markup {
    html! {
        ul {
            @for sentence in sentences { li { (Prose(sentence)) } }
        }
    }
}

/// A column of a table, by its title.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column {
    /// A column of words.
    Words(&'static str),
    /// A right-aligned column of numbers.
    Numbers(&'static str),
}

/// A table that may be wider than the page.
pub(super) fn table(
    caption: &str,
    columns: &[Column],
    rows: impl IntoIterator<Item = Markup>,
) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        @for column in columns {
                            @match column {
                                Column::Words(title) => { th scope="col" { (title) } }
                                Column::Numbers(title) => { th.n scope="col" { (title) } }
                            }
                        }
                    }
                }
                tbody {
                    @for row in rows { (row) }
                }
            }
        }
    }
}

/// The text, or a dash if it is missing or empty.
pub(super) fn or_dash(text: Option<&str>) -> Text<&str> {
    Text(text.filter(|text| !text.is_empty()).unwrap_or("–"))
}

/// A sample of a pattern, for a legend.
pub(super) fn sample(class: &str) -> Markup {
    html! {
        svg viewBox="0 0 48 20" aria-hidden="true" { path class=(class) d="M0 0h48v20H0z" {} }
    }
}

/// The axis below strips or bars, with marks at round times since `zero_ms`.
pub(super) fn axis(clip: &Clip, zero_ms: u64) -> Markup {
    let marks = clip.marks(zero_ms).into_iter().map(|mark| {
        let share = clip.at(mark.at_ms) * 1_000 / clip.columns.max(1);
        // A label must stay within the page.
        let class = match share {
            0..50 => "first",
            50..950 => "",
            _ => "last",
        };
        let left = format!("left:{}.{}%", share / 10, share % 10);
        html! { span class=(class) style=(left) { (mark.label) } }
    });
    html! {
        div.axis aria-hidden="true" {
            @for mark in marks { (mark) }
        }
    }
}
