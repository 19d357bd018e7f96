//! What somebody who misspelt a name most likely meant.

/// The closest of these names, if one is close.
pub(super) fn closest<'a>(said: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Two letters that changed places count as two, and short names have them too.
    let most = (said.chars().count() / 3 + 1).min(3);
    let near = names.map(|name| (distance(said, name), name)).filter(|(far, _)| *far <= most);
    near.min_by_key(|(far, _)| *far).map(|(_, name)| name)
}

/// How many letters must be put in, taken out or exchanged to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let here = (diagonal + usize::from(x != *y)).min(left + 1).min(*above + 1);
            diagonal = std::mem::replace(above, here);
            left = here;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        for (a, b, far) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("listen", "lisen", 1), ("kind", "mine", 2)]
        {
            assert_eq!(distance(a, b), far, "{a} {b}");
            assert_eq!(distance(b, a), far, "{b} {a}");
        }
    }

    #[test]
    fn a_name_that_is_far_from_all_suggests_none() {
        let names = ["listen", "data", "policies"];
        assert_eq!(closest("lisen", names.into_iter()), Some("listen"));
        assert_eq!(closest("polices", names.into_iter()), Some("policies"));
        assert_eq!(closest("password", names.into_iter()), None);
    }
}
