mod documents;
mod live;
mod picture;
mod samples;
mod snapshots;
