//! Sources by content, and revisions whose setup runs once.

mod common;

use common::{config, exit, line, name, replica, runtime};
use consort_runtime::{Command, Error, RevisionSpec, Runtime};
use consort_runtime_process::{ProcessRuntime, Sources, pack, unpack};
use consort_types::Digest;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};
use tar::{Builder, EntryType, Header};

fn write(folder: &Path, path: &str, text: &str, mode: u32) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A source with a program, a nested file, a link, and what must be left out.
fn example(folder: &Path) {
    write(folder, "run.sh", "#!/bin/sh\ncat lib/word", 0o755);
    write(folder, "lib/word", "hello", 0o644);
    symlink("lib/word", folder.join("link")).unwrap();
    symlink("missing", folder.join("lib/dangling")).unwrap();
    write(folder, ".git/config", "x", 0o644);
    write(folder, ".venv/bin/python", "x", 0o755);
    write(folder, "node_modules/a/index.js", "x", 0o644);
    write(folder, "notes.log", "x", 0o644);
    write(folder, ".consortignore", "*.log\n", 0o644);
}

fn digest(folder: &Path) -> Digest {
    pack(folder, std::io::sink()).unwrap()
}

#[test]
fn the_address_is_that_of_the_content() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    example(a.path());
    example(b.path());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    assert_eq!(pack(a.path(), &mut first).unwrap(), pack(b.path(), &mut second).unwrap());
    assert!(first == second, "the same content is the same tar");

    let address = digest(b.path());
    write(b.path(), ".git/config", "y", 0o644);
    write(b.path(), "notes.log", "y", 0o644);
    assert_eq!(digest(b.path()), address, "what is left out does not count");
    let mut seen = vec![address];
    let changes: [&dyn Fn(&Path); 5] = [
        &|folder| write(folder, "lib/word", "hellO", 0o644),
        &|folder| write(folder, "lib/word", "hellO", 0o755),
        &|folder| fs::rename(folder.join("lib/word"), folder.join("lib/words")).unwrap(),
        &|folder| {
            fs::remove_file(folder.join("link")).unwrap();
            symlink("lib/words", folder.join("link")).unwrap();
        },
        &|folder| fs::create_dir(folder.join("empty")).unwrap(),
    ];
    for (number, change) in changes.iter().enumerate() {
        change(b.path());
        let address = digest(b.path());
        assert!(!seen.contains(&address), "change {number} is not seen");
        seen.push(address);
    }
}

#[test]
fn a_source_survives_the_way_through_a_tar() {
    let folder = tempfile::tempdir().unwrap();
    example(folder.path());
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(120));
    write(folder.path(), &long, "deep", 0o640);
    let data = tempfile::tempdir().unwrap();
    let sources = Sources::open(data.path()).unwrap();
    let address = sources.add_folder(folder.path()).unwrap();
    assert_eq!(sources.add_folder(folder.path()).unwrap(), address);
    let tar = fs::read(sources.get(&address).unwrap()).unwrap();
    assert_eq!(sources.add_tar(&*tar).unwrap(), address);
    assert_eq!(fs::read_dir(data.path().join("sources")).unwrap().count(), 1, "nothing is left over");

    let copy = data.path().join("copy");
    unpack(&*tar, &copy).unwrap();
    assert_eq!(digest(&copy), address);
    assert_eq!(fs::read_to_string(copy.join("link")).unwrap(), "hello");
    assert_eq!(fs::read_to_string(copy.join(long)).unwrap(), "deep");
    assert_eq!(fs::metadata(copy.join("run.sh")).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(!copy.join(".git").exists() && !copy.join("notes.log").exists());
    assert!(sources.get(&Digest::of(b"other")).is_none());
}

#[test]
fn what_cannot_be_a_source_is_named() {
    let data = tempfile::tempdir().unwrap();
    let sources = Sources::open(data.path()).unwrap();
    type Make<'a> = &'a dyn Fn(&Path);
    let cases: [(&str, Make<'_>); 6] = [
        ("link out", &|folder| symlink("/etc/passwd", folder.join("bad")).unwrap()),
        ("link out", &|folder| symlink("../outside", folder.join("bad")).unwrap()),
        ("link out", &|folder| {
            // By its words it stays inside; through the other link it does not.
            fs::create_dir(folder.join("s")).unwrap();
            symlink("..", folder.join("s/up")).unwrap();
            symlink("up/../..", folder.join("s/bad")).unwrap();
        }),
        ("socket, pipe or device", &|folder| {
            std::os::unix::net::UnixListener::bind(folder.join("bad")).unwrap();
        }),
        ("is no folder", &|folder| {
            fs::remove_dir(folder).unwrap();
            fs::write(folder, "").unwrap();
        }),
        ("cannot be read", &|folder| fs::remove_dir(folder).unwrap()),
    ];
    for (problem, make) in cases {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("source");
        fs::create_dir(&folder).unwrap();
        make(&folder);
        let error = sources.add_folder(&folder).unwrap_err();
        assert!(matches!(error, Error::BadSource { .. }), "{error}");
        assert!(error.to_string().contains(problem), "{error}");
    }
    assert_eq!(fs::read_dir(data.path().join("sources")).unwrap().count(), 0, "nothing is left over");
}

/// A tar with one entry, whatever its path.
fn tar_of(kind: EntryType, path: &str, target: &str, size: u64) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o4755);
    header.set_size(size);
    if !target.is_empty() {
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
    }
    header.set_cksum();
    let mut tar = Builder::new(Vec::new());
    tar.append(&header, &b"text"[..usize::try_from(size.min(4)).unwrap()]).unwrap();
    tar.into_inner().unwrap()
}

#[test]
fn a_hostile_tar_is_refused_and_writes_nothing_outside() {
    let data = tempfile::tempdir().unwrap();
    let sources = Sources::open(data.path()).unwrap();
    let before = fs::read_dir(data.path()).unwrap().count();
    for (tar, problem) in [
        (tar_of(EntryType::Regular, "../../evil", "", 4), "leaves the folder"),
        (tar_of(EntryType::Regular, "a/../../evil", "", 4), "leaves the folder"),
        (tar_of(EntryType::Regular, "/evil", "", 4), "leaves the folder"),
        (tar_of(EntryType::Symlink, "evil", "/etc/passwd", 0), "link out"),
        (tar_of(EntryType::Symlink, "evil", "../..", 0), "link out"),
        (tar_of(EntryType::Symlink, ".venv/evil", "/etc", 0), "link out"),
        (tar_of(EntryType::Link, "evil", "/etc/passwd", 0), "hard link"),
        (tar_of(EntryType::Char, "evil", "", 0), "device"),
        (tar_of(EntryType::Regular, "bomb", "", 1 << 40), "at most"),
        (tar_of(EntryType::Regular, "short", "", 4)[..513].to_vec(), ""),
        (b"this is no tar at all, but more than a block".repeat(20), "no complete tar"),
    ] {
        let error = sources.add_tar(&*tar).unwrap_err();
        assert!(error.to_string().contains(problem), "{problem}: {error}");
    }
    assert_eq!(fs::read_dir(data.path().join("sources")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), before);
    let plain = sources.add_tar(&*tar_of(EntryType::Regular, "./setuid", "", 4)).unwrap();
    assert!(sources.get(&plain).is_some());
}

fn spec(runtime: &ProcessRuntime, folder: &Path, setup: &[&str]) -> RevisionSpec {
    RevisionSpec {
        namespace: name("lending"),
        service: name("greeter"),
        revision: "r-1".into(),
        source: runtime.sources().add_folder(folder).unwrap(),
        setup: setup.iter().map(ToString::to_string).collect(),
        environment: vec![("LANGUAGE_OF_GREETING".into(), "en".into())],
        secrets: vec![("KEY".into(), "hunter22".into())],
    }
}

#[tokio::test]
async fn services_of_the_same_name_in_two_namespaces_each_have_their_own_code() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (runtime, _seen) = runtime(data.path());
    write(folder.path(), "word", "ours", 0o644);
    let ours = spec(&runtime, folder.path(), &[]);
    write(folder.path(), "word", "theirs", 0o644);
    let theirs = RevisionSpec { namespace: name("other"), ..spec(&runtime, folder.path(), &[]) };
    for (revision, word) in [(ours, "ours"), (theirs, "theirs")] {
        let prepared = runtime.prepare(revision).await.unwrap();
        assert_eq!(fs::read_to_string(prepared.join("word")).unwrap(), word);
    }
}

#[tokio::test]
async fn setup_runs_once_however_many_ask() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    example(folder.path());
    let count = data.path().join("count");
    let setup = format!("echo $LANGUAGE_OF_GREETING >> {} && touch made", count.display());
    let (first, _seen) = runtime(data.path());
    let spec = spec(&first, folder.path(), &[&setup, "test -e made"]);
    let asked = (0..8).map(|_| first.prepare(spec.clone()));
    let folders = futures_util::future::join_all(asked).await;
    let prepared = folders[0].clone().unwrap();
    assert!(folders.iter().all(|folder| folder.as_ref().unwrap() == &prepared));
    assert_eq!(fs::read_to_string(&count).unwrap(), "en\n");
    // A server that starts later finds it done.
    drop(first);
    let (second, mut seen) = runtime(data.path());
    assert_eq!(second.prepare(spec).await.unwrap(), prepared);
    assert_eq!(fs::read_to_string(&count).unwrap(), "en\n");
    let mut greeter = replica(data.path(), "greeter", Command::Shell("./run.sh".into()));
    greeter.dir = prepared;
    second.start(greeter).unwrap();
    assert_eq!(line(&mut seen, "h").await, "hello");
    assert_eq!(exit(&mut seen).await.code, Some(0));
}

#[tokio::test]
async fn a_failed_setup_shows_its_end_and_begins_anew() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    example(folder.path());
    let (runtime, _seen) = runtime(data.path());
    let may = data.path().join("may");
    let setup = format!(
        "seq 1 500; echo no $KEY >&2; test ! -e dirt || exit 9; touch dirt; test -e {}",
        may.display()
    );
    let spec = spec(&runtime, folder.path(), &["true", &setup, "touch never"]);
    let asked =
        futures_util::future::join(runtime.prepare(spec.clone()), runtime.prepare(spec.clone())).await;
    for asked in [asked.0, asked.1] {
        let Err(Error::SetupFailed { service, command, status, output }) = asked else { panic!("{asked:?}") };
        assert_eq!(
            (service.as_str(), command.as_str(), status.as_str()),
            ("greeter", &*setup, "exited with 1")
        );
        assert!(
            output.contains("no ***") && output.contains("\n500") && !output.contains("\n400\n"),
            "{output}"
        );
    }
    fs::write(&may, "").unwrap();
    let prepared = runtime.prepare(spec).await.expect("it starts from a clean copy");
    assert!(prepared.join("never").exists());
}

#[tokio::test]
async fn a_setup_that_is_cut_off_is_not_built_upon() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    example(folder.path());
    let (runtime, _seen) = runtime(data.path());
    let begun = data.path().join("begun");
    let setup = format!(
        "test ! -e dirt && touch dirt && if test ! -e {0}; then touch {0}; sleep 600; fi",
        begun.display()
    );
    let spec = spec(&runtime, folder.path(), &[&setup]);
    tokio::select! {
        outcome = runtime.prepare(spec.clone()) => panic!("{outcome:?}"),
        () = async { while !begun.exists() { tokio::time::sleep(std::time::Duration::from_millis(5)).await; } } => {}
    }
    runtime.prepare(spec).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_prepared_is_explained() {
    let data = tempfile::tempdir().unwrap();
    let (runtime, _seen) = runtime(data.path());
    let folder = tempfile::tempdir().unwrap();
    let mut unknown = spec(&runtime, folder.path(), &[]);
    unknown.source = Digest::of(b"not stored");
    assert!(matches!(runtime.prepare(unknown.clone()).await, Err(Error::NoSource { .. })));
    unknown.revision = "../up".into();
    assert!(matches!(runtime.prepare(unknown).await, Err(Error::BadSource { .. })));
    fs::write(data.path().join("file"), "").unwrap();
    let unwritable = ProcessRuntime::new(config(&data.path().join("file")));
    assert!(matches!(unwritable, Err(Error::Io { .. })));
}
