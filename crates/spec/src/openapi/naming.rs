//! Names of a document as names of the project file.

use crate::definition::Method;
use consort_types::{Name, NameKind};

/// The longest name, in characters; what is longer is cut.
const NAME_LEN_MAX: usize = 63;

/// The name of an operation: its `operationId`, else its method and path, in a spelling that a name may have.
/// None: no letter or digit in either of them can stand in a name.
pub(super) fn operation_name(id: Option<&str>, method: Method, path: &str) -> Option<Name> {
    let by_path = || legal(&format!("{} {path}", method.as_str().to_ascii_lowercase()));
    id.and_then(legal).or_else(by_path)
}

/// A text as a name: `listPets` is `list_pets`, `pets/list-all` is `pets_list_all`. What is a name stays as it is.
pub(super) fn legal(text: &str) -> Option<Name> {
    for kind in [NameKind::Snake, NameKind::Kebab] {
        if let Ok(name) = Name::new(text, kind) {
            return Some(name);
        }
    }
    let mut out = String::with_capacity(text.len() + 8);
    let chars: Vec<char> = text.chars().collect();
    for (index, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        let before = index.checked_sub(1).map(|index| chars[index]);
        let after = chars.get(index + 1);
        // A word begins at `P` of `listPets` and at `B` of `APIBase`.
        let begins = c.is_ascii_uppercase()
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || before.is_some_and(|before| before.is_ascii_uppercase())
                    && after.is_some_and(|after| after.is_ascii_lowercase()));
        if begins && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    let out: String =
        out.trim_start_matches(|c: char| !c.is_ascii_lowercase()).chars().take(NAME_LEN_MAX).collect();
    Name::new(out.trim_end_matches('_'), NameKind::Snake).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_documents_become_names_of_the_file() {
        for (id, name) in [
            ("listPets", "list_pets"),
            ("list_pets", "list_pets"),
            ("get-user", "get-user"),
            ("Pets.listAll", "pets_list_all"),
            ("repos/list-for-org", "repos_list_for_org"),
            ("getAPIBaseURL", "get_api_base_url"),
            ("find_pets_pets_get", "find_pets_pets_get"),
            ("2faEnable", "fa_enable"),
            ("größe", "gr_e"),
            ("猫", "get_cats_id"),
        ] {
            let found = operation_name(Some(id), Method::Get, "/cats/{id}");
            assert_eq!(found.as_ref().map(Name::as_str), Some(name), "{id}");
        }
        let long = operation_name(Some(&"aB".repeat(60)), Method::Get, "/").unwrap();
        assert!(long.as_str().len() <= NAME_LEN_MAX);
        assert_eq!(operation_name(None, Method::Delete, "/a/{b}-c").unwrap().as_str(), "delete_a_b_c");
        assert_eq!(operation_name(None, Method::Post, "/").unwrap().as_str(), "post");
    }
}
