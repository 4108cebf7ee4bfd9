//! "Did you mean …?"

/// Longer words than this are compared by nobody: the search stays cheap whatever a file holds.
const WORD_LEN_MAX: usize = 64;

/// The known word nearest to a misspelt one, when one is near enough to be meant: at most a third of its
/// letters differ (a swap of neighbours counts once). Of equally near ones the first wins.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(WORD_LEN_MAX + 1).collect();
    if word.is_empty() || word.len() > WORD_LEN_MAX {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let letters: Vec<char> = candidate.chars().take(WORD_LEN_MAX + 1).collect();
        let allowed =
            word.len().max(letters.len()).div_ceil(3).min(best.map_or(usize::MAX, |(near, _)| near - 1));
        if letters.len() > WORD_LEN_MAX || word.len().abs_diff(letters.len()) > allowed {
            continue;
        }
        let distance = distance(&word, &letters);
        if distance <= allowed && distance < word.len().max(letters.len()) {
            best = Some((distance, candidate));
            if distance == 0 {
                break;
            }
        }
    }
    best.map(|(_, word)| word)
}

/// Edits (insert, delete, replace, swap neighbours) from one word to the other; case counts half a letter less
/// than nothing, so that `Input` finds `input`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(!left.eq_ignore_ascii_case(right));
            let mut edits = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                edits = edits.min(before[j - 1] + 1);
            }
            row.push(edits);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant_and_nothing_far_fetched() {
        let known = ["monthly_income", "employer", "confidence", "id"];
        for (word, expected) in [
            ("montly_income", Some("monthly_income")),
            ("employe", Some("employer")),
            ("Employer", Some("employer")),
            ("cofnidence", Some("confidence")),
            ("salary", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(10_000), known.into_iter()), None);
    }
}
