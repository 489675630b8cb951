//! What a run may hold in memory: one bound for everything that comes from outside, however many
//! requests, files and programs it comes from.
//!
//! The allocator says what is held. Whatever takes something in asks for room first: bodies and streams
//! while they come ([`crate::cluster`]), JSON while it is decoded ([`crate::json`]). What has been let go
//! makes room again, so that a run of hours has as much as one of seconds.
//!
//! A library cannot choose the allocator: where `main` has not said how to measure, as in tests that
//! call the library, there is always room, and only the bounds of each kind of answer hold.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a run may hold beyond what its input entitles it to. With the program itself, about 12 MiB,
/// and what the allocator cannot fill, it stays below 64 MiB.
const ALLOWANCE: usize = 44 << 20;

/// What is kept free for those who do not ask, while others take something in.
const RESERVE: usize = 2 << 20;

/// An object of a manifest is held several times: as written, as live, and as the dry run returned it, with the
/// fields of all its managers. Each takes a few times the text that it was written in.
const SHARE_OF_MANIFESTS: usize = 8;

static HELD: OnceLock<fn() -> usize> = OnceLock::new();
static LIMIT: AtomicUsize = AtomicUsize::new(ALLOWANCE);

/// Says how to measure what is held, in bytes; the first call counts.
pub fn measure_by(held: fn() -> usize) {
    // A second allocator cannot come.
    let _ = HELD.set(held);
}

/// Raises the bound by what was read of a file.
pub(crate) fn admit(bytes: usize) {
    LIMIT.fetch_add(bytes, Ordering::Relaxed);
}

/// Raises the bound by what the cluster may have to say of manifests of this length.
pub(crate) fn admit_manifests(bytes: usize) {
    admit(bytes.saturating_mul(SHARE_OF_MANIFESTS));
}

/// Whether something more can be taken in.
#[must_use]
pub(crate) fn has_room() -> bool {
    free() > RESERVE
}

/// Refuses what libraries would collect by themselves, such as the pieces of a message of a port-forward,
/// when even the reserve is used up.
///
/// # Errors
/// [`io::ErrorKind::OutOfMemory`].
pub(crate) fn check() -> io::Result<()> {
    if free() == 0 {
        return Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            "more came than this run may keep in memory",
        ));
    }
    Ok(())
}

fn free() -> usize {
    let held = HELD.get().map_or(0, |held| held());
    LIMIT.load(Ordering::Relaxed).saturating_sub(held)
}
