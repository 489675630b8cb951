//! cryptoctl
