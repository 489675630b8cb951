//! What a load may spend: bytes of input, and the memory that its values take.
//!
//! A few bytes of text can stand for many values: `[0,0,…]` takes forty times its length, an alias or
//! a merge repeats whatever it names. So what is built is charged before it is built, in the bytes that
//! it takes.

use serde_json::{Map, Value};

/// How many bytes all sources of one set of manifests may have together.
///
/// The API server refuses a request above 3 MiB, so this is room for dozens of objects of the
/// largest size and for tens of thousands of ordinary ones, while a device or a disk image
/// given by mistake is refused before it fills the memory.
pub const MAX_BYTES: u64 = 40 * MEBIBYTE as u64;

/// How many bytes the values of one set of manifests may take in memory, after aliases are
/// expanded: a few thousand ordinary objects, or what [`MAX_BYTES`] of long texts take.
pub const MAX_MEMORY: usize = 40 * MEBIBYTE;

/// How long one text may be: as long as the largest request that an API server takes
/// (`k8s.io/apiserver` `pkg/server/config.go`, `MaxRequestBodyBytes`).
pub const MAX_TEXT: usize = 3 * MEBIBYTE;

const MEBIBYTE: usize = 1024 * 1024;

/// What the allocator and a table of keys add to a list or a mapping.
const COLLECTION: usize = 64;
/// A value in a list.
const ITEM: usize = size_of::<Value>();
/// A key with its value in a mapping: both, and the hash of the key.
const ENTRY: usize = size_of::<(usize, usize, String, Value)>();
/// What is kept of an object beside its value.
const OBJECT: usize = 1024;
/// What an allocation of its own adds to a text.
const TEXT: usize = 16;

/// What a load may still spend.
#[derive(Debug)]
pub struct Budget {
    /// Input that may still be read, in bytes.
    pub bytes: u64,
    memory: usize,
    refusal: Option<&'static str>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: MAX_BYTES,
            memory: MAX_MEMORY,
            refusal: None,
        }
    }
}

impl Budget {
    /// Why something was not to be had, once it was not.
    #[must_use]
    pub fn refusal(&self) -> Option<&'static str> {
        self.refusal
    }

    /// Whether nothing more is to be had.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.memory == 0
    }

    /// Takes memory; `false` when too little is left.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let left = self.memory.checked_sub(bytes);
        self.memory = left.unwrap_or(0);
        if left.is_none() {
            self.refusal.get_or_insert(
                "all manifests together would take more than 40 MiB of memory, aliases expanded",
            );
        }
        left.is_some()
    }

    /// Gives back what was only needed for a while.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        self.memory += bytes;
    }

    /// Takes what a text of this length needs.
    pub(crate) fn take_text(&mut self, length: usize) -> bool {
        if length > MAX_TEXT {
            self.refusal.get_or_insert(
                "this text is longer than 3 MiB, the largest request that an API server takes",
            );
            return false;
        }
        self.take(length + TEXT)
    }

    /// Takes what a list or a mapping needs before anything is in it.
    pub(crate) fn take_collection(&mut self) -> bool {
        self.take(COLLECTION)
    }

    /// Takes the place of a value in a list.
    pub(crate) fn take_item(&mut self) -> bool {
        self.take(ITEM)
    }

    /// Takes the place of a key, its text included, and of its value in a mapping.
    pub(crate) fn take_entry(&mut self, key: &str) -> bool {
        self.take_text(key.len()) && self.take(ENTRY)
    }

    /// Takes what an object needs beside its value: its identity, its place, its part in the order.
    pub fn take_object(&mut self) -> bool {
        self.take(OBJECT)
    }

    /// Whether a text of this length could be held for a while beside what it is made of.
    #[must_use]
    pub fn has_room_for(&self, length: usize) -> bool {
        length <= self.memory
    }

    /// Takes what a copy of a value needs, beyond its own place.
    pub(crate) fn take_copy(&mut self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.take_text(text.len()),
            Value::Array(items) => self.take_copy_of_list(items),
            Value::Object(map) => self.take_copy_of_mapping(map),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }

    pub(crate) fn take_copy_of_list(&mut self, items: &[Value]) -> bool {
        self.take_collection()
            && items
                .iter()
                .all(|item| self.take_item() && self.take_copy(item))
    }

    pub(crate) fn take_copy_of_mapping(&mut self, map: &Map<String, Value>) -> bool {
        self.take_collection()
            && map
                .iter()
                .all(|(key, value)| self.take_entry(key) && self.take_copy(value))
    }
}

/// The same mapping in no more memory than it needs: most have a few keys, and room for twice as many.
pub(crate) fn fitted(map: Map<String, Value>) -> Map<String, Value> {
    let mut fitted = Map::with_capacity(map.len());
    fitted.extend(map);
    fitted
}
