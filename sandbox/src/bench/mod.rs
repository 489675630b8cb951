//! Measures the tool's release build against kubectl and helm, on one cluster and in one run.
//!
//! What is measured is data ([`work`]); a runner measures it in alternating order ([`runner`]), each
//! run in a small process of its own ([`measure`]); the API server's audit log counts the requests
//! ([`audit`]); documents are made from the figures alone ([`document`], [`chart`]).

pub(crate) mod audit;
pub(crate) mod chart;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod goal;
pub(crate) mod machine;
pub(crate) mod measure;
pub(crate) mod objects;
pub(crate) mod recovery;
pub(crate) mod results;
pub(crate) mod runner;
pub(crate) mod stage;
pub(crate) mod statistics;
pub(crate) mod work;
