//! Patterns over paths: `*` and `?` within a name, `**` for any folders.

/// Whether a pattern has wildcards at all.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether the path matches. Both are relative to the root, with `/`.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    wildcard(&pattern, &path, |part| *part == "**", |part, name| name_matches(part, name))
}

fn name_matches(pattern: &str, name: &str) -> bool {
    // A hidden file is only meant by a pattern that says so.
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    wildcard(&pattern, &name, |c| *c == '*', |a, b| *a == '?' || a == b)
}

/// Matching with one kind of star, in time `pattern × text` at worst: only the last star is ever retried.
fn wildcard<P, T>(
    pattern: &[P],
    text: &[T],
    star: impl Fn(&P) -> bool,
    one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && star(&pattern[p]) {
            retry = Some((p, t));
            p += 1;
        } else if p < pattern.len() && one(&pattern[p], &text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_at, taken)) = retry {
            retry = Some((star_at, taken + 1));
            p = star_at + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(star)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stay_within_a_folder_and_double_stars_do_not() {
        for (pattern, path) in [
            ("a/*.yaml", "a/x.yaml"),
            ("**/x.yaml", "x.yaml"),
            ("**/x.yaml", "a/b/x.yaml"),
            ("a/?.y*l", "a/b.yaml"),
            ("x.yaml", "x.yaml"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in
            [("*.yaml", "a/x.yaml"), ("a/*.yaml", "a/.x.yaml"), ("a/*.yaml", "a/x.yml"), ("?", "ab")]
        {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
        assert!(!matches(&"*a".repeat(2_000), &"a".repeat(1_999)));
    }
}
