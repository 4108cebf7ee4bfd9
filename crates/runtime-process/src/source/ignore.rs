//! `.consortignore`: what a source leaves out.
//!
//! One pattern a line, `#` comments. `*` and `?` stay within a name, `**` crosses folders. A pattern with a
//! slash that is not its last character counts from the root of the source, any other matches a name at any
//! depth; a last slash means folders only. There is no `!`.

use super::bad;
use consort_runtime::Error;
use std::{fs, io, path::Path};

/// The file's name.
const FILE: &str = ".consortignore";

pub(crate) struct Ignore {
    patterns: Vec<Pattern>,
}

struct Pattern {
    glob: Vec<u8>,
    folders_only: bool,
    from_root: bool,
}

impl Ignore {
    pub(crate) fn read(root: &Path) -> Result<Self, Error> {
        let path = root.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|problem| bad(path, problem)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self { patterns: Vec::new() }),
            Err(error) => Err(bad(path, format!("cannot be read: {error}"))),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with('!') {
                return Err(format!("line {}: `!` is not supported; name what to leave out", index + 1));
            }
            let glob = line.trim_end_matches('/');
            let from_root = glob.contains('/');
            let glob = glob.trim_start_matches('/').as_bytes().to_vec();
            patterns.push(Pattern { glob, folders_only: line.ends_with('/'), from_root });
        }
        Ok(Self { patterns })
    }

    /// Whether this path, relative to the root, is left out.
    pub(crate) fn matches(&self, path: &Path, is_folder: bool) -> bool {
        let whole = path.as_os_str().as_encoded_bytes();
        let name = path.file_name().map_or(whole, |name| name.as_encoded_bytes());
        self.patterns.iter().any(|pattern| {
            (is_folder || !pattern.folders_only)
                && glob_matches(&pattern.glob, if pattern.from_root { whole } else { name })
        })
    }
}

/// Linear in practice and never worse than the product of the lengths: on a mismatch only the last star
/// takes one more byte, the last double star where the single one may not.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    let mut double: Option<(usize, usize)> = None;
    loop {
        if glob[g..].starts_with(b"**") {
            g += 2;
            // `a/**/b` matches `a/b` too.
            if glob[g..].starts_with(b"/") && (t == 0 || text[t - 1] == b'/') {
                g += 1;
            }
            double = Some((g, t));
            star = None;
            continue;
        }
        if glob.get(g) == Some(&b'*') {
            g += 1;
            star = Some((g, t));
            continue;
        }
        match (glob.get(g), text.get(t)) {
            (None, None) => return true,
            (Some(b'?'), Some(byte)) if *byte != b'/' => (g, t) = (g + 1, t + 1),
            (Some(wanted), Some(byte)) if wanted == byte => (g, t) = (g + 1, t + 1),
            _ => {
                let within = star.filter(|(_, at)| text.get(*at).is_some_and(|byte| *byte != b'/'));
                if let Some((after, at)) = within {
                    star = Some((after, at + 1));
                    (g, t) = (after, at + 1);
                } else if let Some((after, at)) = double.filter(|(_, at)| *at < text.len()) {
                    star = None;
                    double = Some((after, at + 1));
                    (g, t) = (after, at + 1);
                } else {
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_leave_out_what_they_name() {
        let ignore =
            Ignore::parse("# data\n*.log\n/dist\nbuild/\ndocs/**/*.md\nsrc/*.tmp\n**/secret?\n").unwrap();
        for (path, is_folder, left_out) in [
            ("a.log", false, true),
            ("deep/er/b.log", false, true),
            ("dist", true, true),
            ("src/dist", true, false),
            ("build", true, true),
            ("build", false, false),
            ("docs/a.md", false, true),
            ("docs/x/y/a.md", false, true),
            ("docs/x/y/a.txt", false, false),
            ("src/a.tmp", false, true),
            ("src/x/a.tmp", false, false),
            ("x/secret1", false, true),
            ("secret1", false, true),
            ("secret", false, false),
        ] {
            assert_eq!(ignore.matches(Path::new(path), is_folder), left_out, "{path}");
        }
        assert!(Ignore::parse("!keep").is_err());
    }
}
