//! The name that somebody most likely meant.

/// The nearest of the names known, if it is near enough to have been meant.
pub(super) fn nearest<'a>(
    meant: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer names are nobody's slip of the finger, and cost the square of their length.
    const LETTERS_MAX: usize = 64;
    if meant.chars().count() > LETTERS_MAX {
        return None;
    }
    let close = (meant.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter(|name| *name != meant && name.chars().count() <= LETTERS_MAX)
        .map(|name| (distance(meant, name), name))
        // Of a single letter nothing is left once it is changed.
        .filter(|(distance, name)| *distance <= close && *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// "did you mean …?" where there is something to mean.
pub(super) fn did_you_mean<'a>(
    meant: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(meant, known).map(|name| format!("did you mean {name}?"))
}

/// How many letters are to be changed, added, left out or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let change = at(&above, j) + usize::from(x != y);
            let mut least = change.min(at(&above, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_seen_through_and_another_word_is_not() {
        let known = ["vendor", "agent", "erp.pay-invoice"];
        assert_eq!(nearest("vendr", known), Some("vendor"));
        assert_eq!(nearest("agnet", known), Some("agent"));
        assert_eq!(nearest("erp.pay-invoce", known), Some("erp.pay-invoice"));
        assert_eq!(nearest("window", known), None);
        assert_eq!(nearest("agent", known), None);
    }
}
