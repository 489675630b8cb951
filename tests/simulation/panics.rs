//! Detects panics, including those that tokio catches in a spawned task.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static SEEN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs a closure on this thread and returns the messages of all panics during it.
pub(crate) fn noticed<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            let is_noticed = SEEN.with_borrow_mut(|seen| {
                if let Some(seen) = seen {
                    seen.push(information.to_string());
                }
                seen.is_some()
            });
            if !is_noticed {
                usual(information);
            }
        }));
    });
    SEEN.set(Some(Vec::new()));
    let result = work();
    (result, SEEN.take().unwrap_or_default())
}
