//! JSON from outside, decoded in no more memory than the run has left.
//!
//! Two bytes of text can stand for kilobytes: `{}` in a list of volumes becomes a structure with a place
//! for each kind of volume. So what decodes is asked, before every element of a list and every value
//! of a mapping, whether there is room.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Error, Value};
use thiserror::Error as ThisError;

use crate::memory;

/// Why JSON was not decoded.
#[derive(Debug, ThisError)]
pub enum JsonError {
    /// It is not what it was to be.
    #[error(transparent)]
    Unreadable(#[from] Error),
    /// What it stands for takes more memory than the run has left.
    #[error("it takes more memory than is left to this run")]
    NoRoom,
}

/// Decodes a whole text.
///
/// # Errors
/// [`JsonError`].
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = bounded(|refused| {
        T::deserialize(Bounded {
            inner: &mut deserializer,
            refused,
        })
    })?;
    deserializer.end()?;
    Ok(value)
}

/// Decodes what was read as a value before.
///
/// # Errors
/// [`JsonError`].
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, JsonError> {
    bounded(|refused| {
        T::deserialize(Bounded {
            inner: value,
            refused,
        })
    })
}

fn bounded<T>(decode: impl FnOnce(&Cell<bool>) -> Result<T, Error>) -> Result<T, JsonError> {
    let refused = Cell::new(false);
    decode(&refused).map_err(|error| {
        if refused.get() {
            JsonError::NoRoom
        } else {
            error.into()
        }
    })
}

/// Something of serde's that lets its content through as long as there is room.
struct Bounded<'run, T> {
    inner: T,
    /// Whether there was none.
    refused: &'run Cell<bool>,
}

impl<'run, T> Bounded<'run, T> {
    fn with<U>(&self, inner: U) -> Bounded<'run, U> {
        Bounded {
            inner,
            refused: self.refused,
        }
    }

    fn room<E: serde::de::Error>(&self) -> Result<(), E> {
        if memory::has_room() {
            return Ok(());
        }
        self.refused.set(true);
        Err(E::custom("no room"))
    }
}

/// Methods whose visitor gets nothing that can grow.
macro_rules! plain {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

/// Methods whose visitor may get a list or a mapping.
macro_rules! growing {
    ($($method:ident($($name:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.with(visitor);
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    plain! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit
        deserialize_identifier deserialize_ignored_any
    }

    growing! {
        deserialize_any()
        deserialize_option()
        deserialize_seq()
        deserialize_map()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Values of a visitor that are no list and no mapping.
macro_rules! single {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: serde::de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    single! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32)
        visit_f64(f64) visit_char(char) visit_str(&str) visit_borrowed_str(&'de str)
        visit_string(String) visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, some: D) -> Result<V::Value, D::Error> {
        let some = self.with(some);
        self.inner.visit_some(some)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let inner = self.with(inner);
        self.inner.visit_newtype_struct(inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        let items = self.with(items);
        self.inner.visit_seq(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let entries = self.with(entries);
        self.inner.visit_map(entries)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        let variant = self.with(variant);
        self.inner.visit_enum(variant)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.with(deserializer);
        self.inner.deserialize(deserializer)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.room()?;
        let seed = self.with(seed);
        self.inner.next_element_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.room()?;
        let seed = self.with(seed);
        self.inner.next_value_seed(seed)
    }
}

impl<'de, 'run, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'run, A> {
    type Error = A::Error;
    type Variant = Bounded<'run, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let refused = self.refused;
        let (value, inner) = self.inner.variant_seed(seed)?;
        Ok((value, Bounded { inner, refused }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.with(visitor);
        self.inner.tuple_variant(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.with(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::event::Event;

    #[test]
    fn what_is_decoded_is_what_serde_decodes() {
        let pod = json!({
            "metadata": {"name": "a", "labels": {"a": "b"}, "creationTimestamp": "2026-11-23T10:00:00Z"},
            "spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}],
                "readinessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 3}}],
                "volumes": [{"name": "a", "emptyDir": {"sizeLimit": "1Gi"}}], "hostNetwork": null},
            "unknown": [1, 2.5, {"a": [null, true]}],
        });
        let text = pod.to_string();
        let expected: Pod = serde_json::from_str(&text).unwrap();
        assert_eq!(from_slice::<Pod>(text.as_bytes()).unwrap(), expected);
        assert_eq!(from_value::<Pod>(pod.clone()).unwrap(), expected);
        assert_eq!(from_slice::<Value>(text.as_bytes()).unwrap(), pod);
        assert!(from_slice::<Value>(b"{} {}").is_err());
        assert!(from_slice::<Pod>(b"[]").is_err());
        let event = json!({"time": "2026-11-23T10:00:00Z", "elapsed_ms": 3, "event": "warning", "message": "a"});
        assert!(from_slice::<Event>(event.to_string().as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_as_serde_does(text in "[\\[\\]{}:, \"a0-9.ntrue-]{0,40}") {
            let expected = serde_json::from_str::<Value>(&text).ok();
            prop_assert_eq!(from_slice::<Value>(text.as_bytes()).ok(), expected);
        }
    }
}
