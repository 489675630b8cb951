//! `cryptoctl` deploys a StatefulSet whose replicas share one volume, and proves that every replica
//! serves the same data.

pub mod cluster;
pub mod diagnose;
pub mod event;
pub mod exit;
pub mod manifest;
pub mod object;
pub mod ops;
pub mod plan;
pub mod render;
pub mod report;
pub mod status;
pub mod ui;
