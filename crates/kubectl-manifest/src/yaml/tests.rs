use proptest::prelude::*;

use super::scalar::{Scalar, resolve};

#[test]
fn resolves_plain_scalars_as_kubectl_does() {
    let string = |text: &str| Scalar::String(text.to_owned());
    let table = [
        ("0400", Scalar::Integer(256)),
        ("0o17", Scalar::Integer(15)),
        ("0b101", Scalar::Integer(5)),
        ("0x1F", Scalar::Integer(31)),
        ("1_000", Scalar::Integer(1000)),
        ("-0", Scalar::Integer(0)),
        ("09", Scalar::Float(9.0)),
        ("18446744073709551615", Scalar::Unsigned(u64::MAX)),
        ("1e3", Scalar::Float(1000.0)),
        (".5", Scalar::Float(0.5)),
        ("1.", Scalar::Float(1.0)),
        ("1e400", string("1e400")),
        ("1:20", string("1:20")),
        ("2001-01-01", string("2001-01-01")),
        ("on", Scalar::Bool(true)),
        ("N", Scalar::Bool(false)),
        ("oN", string("oN")),
        ("~", Scalar::Null),
        ("", Scalar::Null),
        ("nULL", string("nULL")),
    ];
    for (text, expected) in table {
        assert_eq!(resolve(text, None, true), Ok(expected), "{text}");
        assert_eq!(
            resolve(text, None, false),
            Ok(string(text)),
            "{text} quoted"
        );
    }
}

proptest! {
    #[test]
    fn resolves_anything(text in ".{0,12}", tag in prop::option::of("(tag:yaml.org,2002:)?[a-z!]{0,6}")) {
        let _ = resolve(&text, tag.as_deref(), true);
        let _ = resolve(&text, tag.as_deref(), false);
    }

    #[test]
    fn integers_of_any_radix_mean_their_value(value in any::<u32>()) {
        for text in [
            format!("{value}"),
            format!("{value:#x}"),
            format!("{value:#o}"),
            format!("{value:#b}"),
            format!("0{value:o}"),
            format!("+{value}"),
        ] {
            prop_assert_eq!(resolve(&text, None, true), Ok(Scalar::Integer(value.into())));
        }
    }
}
