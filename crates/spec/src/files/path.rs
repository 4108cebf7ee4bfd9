//! Paths as the file writes them → paths relative to the project root.

/// Why a path is refused before anybody looks at the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathError {
    Absolute,
    Outside,
    Empty,
}

/// The path `text`, written in the file `holder`, relative to the root and without `.` and `..`.
pub(crate) fn relative_to(holder: &str, text: &str) -> Result<String, PathError> {
    if text.is_empty() {
        return Err(PathError::Empty);
    }
    if text.starts_with('/') || text.starts_with('~') || text.contains('\\') {
        return Err(PathError::Absolute);
    }
    let folder = holder.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or(PathError::Outside)?;
            }
            part => parts.push(part),
        }
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_file_that_holds_them() {
        for (holder, text, path) in [
            ("consort.yaml", "./services/a", "services/a"),
            ("parts/a.yaml", "../services/a/", "services/a"),
            ("parts/a.yaml", "x", "parts/x"),
            ("consort.yaml", ".", "."),
        ] {
            assert_eq!(relative_to(holder, text).as_deref(), Ok(path));
        }
    }

    #[test]
    fn no_path_leaves_the_root() {
        assert_eq!(relative_to("consort.yaml", "../x"), Err(PathError::Outside));
        assert_eq!(relative_to("a/b.yaml", "../../x"), Err(PathError::Outside));
        assert_eq!(relative_to("consort.yaml", "/etc"), Err(PathError::Absolute));
        assert_eq!(relative_to("consort.yaml", ""), Err(PathError::Empty));
    }
}
