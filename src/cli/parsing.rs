//! Values of flags, and errors that say what is expected.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser};

use crate::values;

/// A path that may be empty: like kubectl, an empty flag counts as none.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// A file or folder with manifests.
pub(super) fn manifests() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some(text) if is_url(text) => Err("URLs are not supported, only files, folders and `-`"),
        _ => Ok(path),
    })
}

/// Whether kubectl would download this text as a URL.
pub(super) fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}

/// A parser whose errors say what is expected.
pub(super) fn expected<T>(
    parse: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| parse(text).map_err(|expected| format!("expected {expected}"))
}

/// A duration in which 0 means no limit, as in kubectl.
pub(super) fn request_timeout(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s") {
        return Ok(Duration::from_hours(24 * 365)); // longer than any run
    }
    expected(values::positive_duration)(text)
}

/// The number of log lines to read; -1 means all of them, as in kubectl.
pub(super) fn tail(text: &str) -> Result<i64, String> {
    match text {
        "-1" => Ok(-1),
        _ => values::whole::<i64, 0, { i64::MAX }>(text)
            .map_err(|_| "expected a whole number, 0 or more, or `-1` for all lines".to_owned()),
    }
}
