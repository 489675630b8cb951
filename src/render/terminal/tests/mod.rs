mod chaos;
mod documents;
mod live;
mod picture;
pub(crate) mod samples;
mod snapshots;
