//! Field ownership: which manager owns which field, as `sigs.k8s.io/structured-merge-diff` (typed/, merge/update.go) and
//! `apimachinery/pkg/util/managedfields/internal` decide it.

mod compare;
mod element;
mod managers;
mod merge;
mod own;
mod prune;
mod set;

pub(crate) use managers::{Refused, Writer, apply, conflict_message, update};
pub(crate) use merge::merge as overlay;
