//! The variables of a process.

use consort_runtime::ReplicaSpec;

/// What of the server's environment every process gets; nothing else is inherited.
const INHERITED: &[&str] = &["PATH", "HOME", "LANG", "TZ", "TMPDIR"];

/// The variables that every process gets, then the given ones; the last of a name wins.
pub(crate) fn with_inherited(given: &[&[(String, String)]]) -> Vec<(String, String)> {
    let inherited = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    inherited.chain(given.iter().flat_map(|list| list.iter().cloned())).collect()
}

/// What `setup` gets beside that: how this machine reaches the registries that packages come from.
const INHERITED_BY_SETUP: &[&str] = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
];

/// The variables of a `setup` command.
pub(crate) fn of_setup(given: &[&[(String, String)]]) -> Vec<(String, String)> {
    let registries = INHERITED_BY_SETUP.iter();
    let registries = registries.filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    registries.chain(with_inherited(given)).collect()
}

/// The variables of a replica that listens on this port.
pub(crate) fn of_replica(spec: &ReplicaSpec, port: u16) -> Vec<(String, String)> {
    // The replica stands in another folder than the server.
    let data_dir = std::path::absolute(&spec.data_dir).unwrap_or_else(|_| spec.data_dir.clone());
    let ours = [
        ("PORT", port.to_string()),
        ("CONSORT_SERVICE", spec.service.to_string()),
        ("CONSORT_REVISION", spec.revision.clone()),
        ("CONSORT_REPLICA", spec.replica.to_string()),
        ("CONSORT_URL", spec.server_url.clone()),
        ("CONSORT_DATA", data_dir.display().to_string()),
    ];
    let ours = ours.map(|(name, value)| (name.to_owned(), value));
    with_inherited(&[&spec.environment, &spec.secrets, &ours])
}

/// A line of an `env_file` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl std::fmt::Display for EnvFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for EnvFileError {}

/// Reads an `env_file`: `NAME=VALUE` lines, `export` before them, `#` comments, values in single quotes (as
/// they are) or double quotes (`\n`, `\t`, `\"`, `\\`). Nothing is substituted.
///
/// # Errors
/// On the first line that is neither.
pub fn parse_env_file(text: &str) -> Result<Vec<(String, String)>, EnvFileError> {
    let mut variables = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let error = |problem: &str| EnvFileError { line: index + 1, problem: problem.to_owned() };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, value) = line.split_once('=').ok_or_else(|| error("expected NAME=VALUE"))?;
        let name = name.trim_end();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(fits) {
            return Err(error("a name has only letters, digits and _, and no digit first"));
        }
        let value = parse_value(value.trim_start()).map_err(error)?;
        variables.push((name.to_owned(), value));
    }
    Ok(variables)
}

fn parse_value(text: &str) -> Result<String, &'static str> {
    let Some(quote @ ('\'' | '"')) = text.chars().next() else {
        let end = text.find(" #").unwrap_or(text.len());
        let value = text[..end].trim_end();
        return if value.starts_with('#') { Ok(String::new()) } else { Ok(value.to_owned()) };
    };
    let mut value = String::new();
    let mut chars = text[1..].chars();
    loop {
        match chars.next().ok_or("the closing quote is missing")? {
            c if c == quote => break,
            '\\' if quote == '"' => {
                value.push(match chars.next().ok_or("nothing follows the backslash")? {
                    'n' => '\n',
                    't' => '\t',
                    other => other,
                })
            }
            c => value.push(c),
        }
    }
    let rest = chars.as_str().trim_start();
    if rest.is_empty() || rest.starts_with('#') { Ok(value) } else { Err("text follows the closing quote") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_read_as_people_write_them() {
        let text = "# a comment\n\nA=1\nexport B = two words  # why\nC='$as it is\\n'\nD=\"x\\ny \\\"q\\\"\" # end\nE=\nF=a#b\nG=# gone";
        let read = parse_env_file(text).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "$as it is\\n"),
            ("D", "x\ny \"q\""),
            ("E", ""),
            ("F", "a#b"),
            ("G", ""),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn bad_lines_are_named() {
        for bad in ["A", "1A=x", "A-B=x", "=x", "A='x", "A=\"x\\", "A='x' y"] {
            let error = parse_env_file(&format!("OK=1\n{bad}")).unwrap_err();
            assert_eq!(error.line, 2, "{bad}");
        }
    }
}
