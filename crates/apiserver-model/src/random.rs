//! The model's only source of randomness: a seeded generator, so that a run can be repeated.

/// `SplitMix64`.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that always gives the same numbers for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A UUID of version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.number(), self.number());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48) & 0x3fff,
            low & 0xffff_ffff_ffff,
        )
    }

    /// A container's or sandbox' name: 64 hexadecimal digits.
    pub(crate) fn container_id(&mut self) -> String {
        let [a, b, c, d] = std::array::from_fn(|_| self.number());
        format!("{a:016x}{b:016x}{c:016x}{d:016x}")
    }

    /// The suffix that `generateName` gets (apimachinery, util/rand).
    pub(crate) fn suffix(&mut self) -> String {
        let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
        let digits = (0..5).map(|_| usize::try_from(self.number() % 27).unwrap());
        digits.map(|digit| char::from(alphabet[digit])).collect()
    }
}
