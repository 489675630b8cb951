//! Names replicas by their ordinals.

/// `replica 3`, `replicas 0-4, 7`.
#[must_use]
pub fn replicas(ordinals: &[i32]) -> String {
    let noun = if ordinals.len() == 1 {
        "replica"
    } else {
        "replicas"
    };
    format!("{noun} {}", ranges(ordinals))
}

/// Ordinals, with runs of three or more as ranges: `0-4, 7`.
fn ranges(ordinals: &[i32]) -> String {
    let mut sorted = ordinals.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut parts = Vec::new();
    let mut index = 0;
    while let Some(&first) = sorted.get(index) {
        let run = sorted[index..]
            .iter()
            .zip(first..)
            .take_while(|(ordinal, expected)| *ordinal == expected)
            .count();
        let last = sorted[index + run - 1];
        match run {
            1 => parts.push(first.to_string()),
            2 => parts.extend([first.to_string(), last.to_string()]),
            _ => parts.push(format!("{first}-{last}")),
        }
        index += run;
    }
    parts.join(", ")
}

/// The verb for this many replicas: `replica 1 serves`, `replicas 0, 2 serve`.
pub(super) fn serve(ordinals: &[i32]) -> &'static str {
    if ordinals.len() == 1 {
        "serves"
    } else {
        "serve"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_ordinals_are_drawn_together() {
        let table: [(&[i32], &str); 7] = [
            (&[3], "replica 3"),
            (&[0, 1], "replicas 0, 1"),
            (&[0, 1, 2], "replicas 0-2"),
            (&[7, 0, 1, 2, 3, 4], "replicas 0-4, 7"),
            (&[0, 2, 4], "replicas 0, 2, 4"),
            (&[5, 6, 9, 10, 11], "replicas 5, 6, 9-11"),
            (&[], "replicas "),
        ];
        for (ordinals, expected) in table {
            assert_eq!(replicas(ordinals), expected);
        }
    }
}
