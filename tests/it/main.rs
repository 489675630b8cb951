//! Hermetic tests.
#![expect(
    clippy::unwrap_used,
    reason = "in helpers of tests, too, a broken assumption is to fail the test at once"
)]

#[expect(
    dead_code,
    unused_imports,
    reason = "the server that uses it comes next"
)]
mod apiserver;
