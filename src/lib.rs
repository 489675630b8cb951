//! cryptoctl

pub mod manifest;
pub mod object;
