//! Projects of several files, on disk and in memory; files that are no project files.

use consort_spec::{Checked, Colour, Folder, Folders, Texts, check, render};
use std::{fs, path::Path};

fn texts(files: &[(&str, &str)]) -> Checked {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    check(&Texts::new(files, Folders::Assumed))
}

fn on_disk(make: impl FnOnce(&Path)) -> Checked {
    let folder = tempfile::tempdir().expect("a folder");
    make(folder.path());
    check(&Folder::new(folder.path()).expect("the folder opens"))
}

fn codes(checked: &Checked) -> Vec<(&str, &str, u32)> {
    checked.problems.iter().map(|problem| (problem.code, problem.file.as_str(), problem.line)).collect()
}

#[test]
fn sections_of_included_files_come_together_and_paths_are_relative_to_their_file() {
    let checked = on_disk(|root| {
        fs::create_dir_all(root.join("parts/code")).unwrap();
        fs::write(root.join("consort.yaml"), "name: shop\ninclude: [parts/*.yaml]\n").unwrap();
        let part = "services: { desk: { source: ./code, command: run } }\n";
        fs::write(root.join("parts/a.yaml"), part).unwrap();
        fs::write(root.join("parts/b.yaml"), "pools: { gpu: 1 }\n").unwrap();
    });
    let project = checked.project.expect("no problems");
    let consort_spec::definition::Runs::Process { source, .. } = &project.services["desk"].runs else {
        panic!("a process")
    };
    assert_eq!(source, Path::new("parts/code"));
    assert_eq!(project.pools.len(), 1);
    let read: Vec<&str> = checked.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(read, ["consort.yaml", "parts/a.yaml", "parts/b.yaml"]);
}

#[test]
fn two_definitions_of_one_name_show_both_places() {
    let checked = texts(&[
        ("consort.yaml", "name: shop\ninclude: b.yaml\npools: { gpu: 1 }\n"),
        ("b.yaml", "pools:\n  gpu: 2\n"),
    ]);
    assert_eq!(codes(&checked), [("E_DUPLICATE_NAME", "b.yaml", 2)]);
    assert!(checked.problems[0].message.contains("consort.yaml:3:10"), "{:?}", checked.problems);
}

#[test]
fn files_that_include_each_other_are_one_problem() {
    let checked = texts(&[
        ("consort.yaml", "name: shop\ninclude: [a.yaml]\n"),
        ("a.yaml", "include: [b.yaml]\n"),
        ("b.yaml", "include: [a.yaml]\n"),
    ]);
    assert_eq!(codes(&checked), [("E_INCLUDE_CIRCLE", "b.yaml", 1)]);
}

#[test]
fn a_file_without_a_tree_is_told_and_nothing_that_follows_from_it() {
    let checked = texts(&[
        (
            "consort.yaml",
            "name: shop\ninclude: [a.yaml]\nworkflows: { w: { steps: { s: { call: desk.ask } } } }\n",
        ),
        ("a.yaml", "services:\n\tdesk: {}\n"),
    ]);
    assert_eq!(codes(&checked), [("E_YAML", "a.yaml", 2)]);
    assert!(checked.problems[0].hint.as_ref().is_some_and(|hint| hint.contains("tabs")));
}

#[test]
fn an_expression_that_yaml_misreads_is_to_be_quoted() {
    let text = "name: shop\nworkflows:\n  w:\n    steps:\n      a: { value: ${input.x ? {'a': 1} : {}} }\n";
    let checked = texts(&[("consort.yaml", text)]);
    assert_eq!(codes(&checked), [("E_YAML", "consort.yaml", 5)]);
    let shown = render(&checked.problems[0], &checked.files, Colour::Never);
    assert!(shown.contains("hint: quote the text around"), "{shown}");
}

#[test]
fn what_is_no_text_is_refused_at_once() {
    let missing = on_disk(|_| {});
    assert_eq!(codes(&missing), [("E_PATH", "consort.yaml", 1)]);
    let bytes = on_disk(|root| fs::write(root.join("consort.yaml"), b"name: \xff\xfe").unwrap());
    assert_eq!(codes(&bytes), [("E_ENCODING", "consort.yaml", 1)]);
    let nul = texts(&[("consort.yaml", "name: shop\nx: \0\n")]);
    assert_eq!(codes(&nul), [("E_ENCODING", "consort.yaml", 2)]);
    let huge = on_disk(|root| {
        let file = fs::File::create(root.join("consort.yaml")).unwrap();
        file.set_len(100 << 20).unwrap();
    });
    assert_eq!(codes(&huge), [("E_FILE", "consort.yaml", 1)]);
    let folder = on_disk(|root| fs::create_dir(root.join("consort.yaml")).unwrap());
    assert_eq!(codes(&folder), [("E_FILE", "consort.yaml", 1)]);
}

#[test]
fn nesting_and_aliases_that_explode_are_refused() {
    let deep = format!("name: shop\nx: {}", "[".repeat(100_000));
    let checked = texts(&[("consort.yaml", &deep)]);
    assert_eq!(codes(&checked), [("E_YAML", "consort.yaml", 2)]);
    let mut bomb = "name: shop\na0: &a0 [x, x]\n".to_owned();
    for level in 1..30 {
        bomb.push_str(&format!("a{level}: &a{level} [*a{}, *a{}]\n", level - 1, level - 1));
    }
    let checked = texts(&[("consort.yaml", &bomb)]);
    assert_eq!(checked.problems.len(), 58, "one for each alias");
    let steps = format!("{}{{ value: 1 }}{}", "{ steps: { a: ".repeat(70), " } }".repeat(70));
    let checked =
        texts(&[("consort.yaml", &format!("name: x\nworkflows: {{ w: {{ steps: {{ b: {steps} }} }} }}"))]);
    assert!(codes(&checked).iter().any(|(code, ..)| *code == "E_LIMIT"), "{:?}", checked.problems.len());
}

#[cfg(unix)]
#[test]
fn links_that_leave_the_project_are_refused() {
    let checked = on_disk(|root| {
        std::os::unix::fs::symlink("/etc", root.join("code")).unwrap();
        let text = "name: shop\nservices: { desk: { source: ./code, command: run } }\n";
        fs::write(root.join("consort.yaml"), text).unwrap();
    });
    assert_eq!(codes(&checked), [("E_PATH", "consort.yaml", 2)]);
    assert!(checked.problems[0].message.contains("leads out of the project"));
}

#[test]
fn the_words_of_yaml_1_1_are_text_and_zeros_do_not_make_octal() {
    let text = "name: shop\nservices:\n  desk:\n    source: a\n    command: run\n    environment: { A: on, B: 010, C: yes, D: 1.10 }\n    scale: { concurrency: 010 }\n";
    let project = texts(&[("consort.yaml", text)]).project.expect("no problems");
    let service = &project.services["desk"];
    let values: Vec<&str> = service.environment.values().map(String::as_str).collect();
    assert_eq!(values, ["on", "010", "yes", "1.10"]);
    assert_eq!(service.scale.concurrency, 10);
}

#[test]
fn a_digest_is_of_what_changes_behaviour() {
    let digest = |service: &str| {
        let text = format!("name: shop\nservices:\n  desk: {service}\n");
        texts(&[("consort.yaml", &text)]).project.expect("no problems").services["desk"].digest
    };
    let base = digest("{ source: a, command: run, restart: no }");
    assert_eq!(base, digest("{ restart: no, command: \"run\", source: a } # a remark"));
    assert_eq!(base, digest("{ source: a, command: run, restart: no, scale: { max: 3 }, description: x }"));
    assert_ne!(base, digest("{ source: a, command: run, restart: always }"));
}

#[test]
fn what_else_is_wrong_is_told_beside_a_file_without_a_tree() {
    let checked = texts(&[
        (
            "consort.yaml",
            "name: shop\ninclude: [a.yaml]\nworkflows: { w: { steps: { s: { call: desk.ask, wehn: true }, t: { call: desk.ask } } } }\n",
        ),
        ("a.yaml", "services: *nowhere\n"),
    ]);
    assert_eq!(codes(&checked), [("E_YAML", "a.yaml", 1), ("E_UNKNOWN_KEY", "consort.yaml", 3)]);
}

#[test]
fn encodings_other_than_utf_8_are_told_at_their_place() {
    let on_line_two = |bytes: &[u8]| {
        let bytes = bytes.to_vec();
        on_disk(move |root| fs::write(root.join("consort.yaml"), bytes).unwrap())
    };
    let latin = on_line_two(b"name: shop\n# caf\xe9\n");
    assert_eq!(codes(&latin), [("E_ENCODING", "consort.yaml", 2)]);
    assert_eq!(latin.problems[0].column, 6);
    let shown = render(&latin.problems[0], &latin.files, Colour::Never);
    assert!(shown.contains("# caf\u{fffd}") && shown.contains("UTF-8"), "{shown}");
    let wide: Vec<u8> = "name: shop\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(codes(&on_line_two(&wide)), [("E_ENCODING", "consort.yaml", 1)]);
    let marked = [b"\xff\xfe".to_vec(), wide].concat();
    assert_eq!(codes(&on_line_two(&marked)), [("E_ENCODING", "consort.yaml", 1)]);
    let included = on_disk(|root| {
        fs::write(root.join("consort.yaml"), "name: shop\ninclude: [a.yaml]\n").unwrap();
        fs::write(root.join("a.yaml"), b"pools:\n  gpu: 1 # \xff\n").unwrap();
    });
    assert_eq!(codes(&included), [("E_ENCODING", "a.yaml", 2)]);
}

#[test]
fn ends_of_lines_and_byte_order_marks_of_other_systems_are_read() {
    let text =
        "\u{feff}name: shop\r\nworkflows:\r\n  w:\r\n    steps:\r\n      a: { value: 1, wehn: true }\r\n";
    let checked = texts(&[("consort.yaml", text)]);
    assert_eq!(codes(&checked), [("E_UNKNOWN_KEY", "consort.yaml", 5)]);
    assert_eq!(checked.problems[0].column, 22);
    let fine = texts(&[("consort.yaml", "\u{feff}name: shop\r\npools: { gpu: 1 }\r\n")]);
    assert!(fine.project.is_some(), "{:?}", fine.problems);
}

#[test]
fn empty_files_and_files_of_nothing_are_one_problem() {
    for text in ["", " ", "\n\n", "# only a remark\n", "---\n", "---\n...\n", "~\n", "\u{feff}"] {
        let checked = texts(&[("consort.yaml", text)]);
        assert_eq!(checked.problems.len(), 1, "{text:?}: {:?}", checked.problems);
        assert_eq!(checked.problems[0].code, "E_EMPTY_FILE", "{text:?}");
    }
    for text in ["just a text\n", "- a\n- b\n", "5\n"] {
        let checked = texts(&[("consort.yaml", text)]);
        assert_eq!(codes(&checked), [("E_VALUE", "consort.yaml", 1)], "{text:?}");
    }
}

#[test]
fn what_is_included_is_there_is_inside_and_is_one_of_a_few() {
    let included = |include: &str| texts(&[("consort.yaml", &format!("name: shop\ninclude: [{include}]\n"))]);
    for include in ["gone.yaml", "parts/*.yaml", "../out.yaml", "/etc/passwd", "a\\\\b.yaml", "''"] {
        let checked = included(include);
        assert_eq!(codes(&checked), [("E_PATH", "consort.yaml", 2)], "{include}");
    }
    let all: Vec<(String, String)> =
        (0..1_200).map(|n| (format!("p/{n}.yaml"), format!("pools: {{ p{n}: 1 }}\n"))).collect();
    let mut files: Vec<(&str, &str)> =
        all.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("consort.yaml", "name: shop\ninclude: [p/*.yaml]\n"));
    assert_eq!(codes(&texts(&files)), [("E_LIMIT", "consort.yaml", 2)]);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_and_pipes_are_refused_at_once() {
    use std::os::unix::fs::symlink;
    let checked = on_disk(|root| {
        fs::write(root.join("consort.yaml"), "name: shop\ninclude: [a.yaml, 'p/**/*.yaml', out.yaml]\n")
            .unwrap();
        symlink(root.join("b.yaml"), root.join("a.yaml")).unwrap();
        symlink(root.join("a.yaml"), root.join("b.yaml")).unwrap();
        fs::create_dir(root.join("p")).unwrap();
        symlink(root.join("p"), root.join("p/again")).unwrap();
        fs::write(root.join("p/x.yaml"), "pools: { gpu: 1 }\n").unwrap();
        symlink("/etc/hostname", root.join("out.yaml")).unwrap();
    });
    let found = codes(&checked);
    assert_eq!(found.len(), 2, "{:?}", checked.problems);
    assert!(found.iter().all(|(_, file, line)| (*file, *line) == ("consort.yaml", 2)), "{found:?}");
    let device = on_disk(|root| symlink("/dev/zero", root.join("consort.yaml")).unwrap());
    assert_eq!(codes(&device), [("E_PATH", "consort.yaml", 1)], "it leads out");
}

#[test]
fn a_file_of_one_endless_line_or_of_many_keys_is_checked_in_proportion() {
    let keys: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    let checked = texts(&[("consort.yaml", &format!("name: shop\n{keys}"))]);
    assert!(!checked.problems.is_empty() && checked.problems.len() <= 1_000, "{}", checked.problems.len());
    let line = format!("name: shop\nx: \"{}\"\n", "y".repeat(300 << 10));
    assert_eq!(codes(&texts(&[("consort.yaml", &line)])), [("E_UNKNOWN_KEY", "consort.yaml", 2)]);
    let list = format!("name: shop\nx: [{}]\n", "1,".repeat(50_000));
    assert_eq!(codes(&texts(&[("consort.yaml", &list)])), [("E_UNKNOWN_KEY", "consort.yaml", 2)]);
}
