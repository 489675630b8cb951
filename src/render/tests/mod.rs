mod documents;
mod experiment;
mod live;
mod picture;
pub(crate) mod samples;
mod snapshots;
