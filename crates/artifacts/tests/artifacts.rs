//! The folder of artifacts, from the outside.

use consort_artifacts::{Artifacts, ByteRange, Error, Label, SHARDS};
use consort_types::Digest;
use std::{
    fs,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

fn label(name: &str) -> Label {
    Label { name: name.to_owned(), media_type: "application/pdf".to_owned() }
}

async fn read(artifacts: &Artifacts, digest: &Digest, range: ByteRange) -> Result<Vec<u8>, Error> {
    let mut reading = artifacts.read(digest, range).await?;
    let mut bytes = Vec::new();
    reading.bytes.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes.len() as u64, reading.length);
    Ok(bytes)
}

fn uploads(data: &Path) -> usize {
    fs::read_dir(data.join("artifacts/tmp")).unwrap().count()
}

fn place(data: &Path, digest: &Digest) -> PathBuf {
    data.join("artifacts").join(&digest.hex()[..2]).join(digest.hex())
}

/// Gives some bytes and then breaks, or never ends.
enum Broken {
    Breaks,
    Hangs,
}

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match *self {
            Self::Breaks => Poll::Ready(Err(std::io::ErrorKind::ConnectionReset.into())),
            Self::Hangs => Poll::Pending,
        }
    }
}

#[tokio::test]
async fn bytes_are_found_by_their_digest() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let large: Vec<u8> = (0..300_000_u32).map(|byte| (byte % 251) as u8).collect();
    for bytes in [&b""[..], b"x", &large] {
        let stored = artifacts.put(bytes, &label("a.pdf")).await.unwrap();
        assert_eq!((stored.digest, stored.size), (Digest::of(bytes), bytes.len() as u64));
        assert_eq!(artifacts.size(&stored.digest).await.unwrap(), Some(stored.size));
        assert_eq!(read(&artifacts, &stored.digest, ByteRange::All).await.unwrap(), bytes);
        assert_eq!(fs::read(place(data.path(), &stored.digest)).unwrap(), bytes);
    }
    assert_eq!(uploads(data.path()), 0);
}

#[tokio::test]
async fn a_range_is_read_alone() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let digest = artifacts.put(&b"0123456789"[..], &label("a")).await.unwrap().digest;
    for (range, expected) in [
        (ByteRange::Between(2, 4), "234"),
        (ByteRange::From(8), "89"),
        (ByteRange::Last(3), "789"),
        (ByteRange::Between(9, 99), "9"),
    ] {
        assert_eq!(read(&artifacts, &digest, range).await.unwrap(), expected.as_bytes());
    }
    let outside = read(&artifacts, &digest, ByteRange::From(10)).await;
    assert!(matches!(outside, Err(Error::OutOfRange { size: 10 })));
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_missing() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let digest = Digest::of(b"never stored");
    assert_eq!(artifacts.size(&digest).await.unwrap(), None);
    assert_eq!(artifacts.label(&digest).await.unwrap(), None);
    assert!(!artifacts.delete(&digest).await.unwrap());
    let error = read(&artifacts, &digest, ByteRange::All).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { digest: missing } if missing == digest));
}

#[tokio::test]
async fn the_first_label_stays() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let digest = artifacts.put(&b"x"[..], &label("first.pdf")).await.unwrap().digest;
    artifacts.put(&b"x"[..], &label("second.pdf")).await.unwrap();
    assert_eq!(artifacts.label(&digest).await.unwrap(), Some(label("first.pdf")));
    fs::write(place(data.path(), &digest).with_extension("json"), "{\"name\": \"cut sho").unwrap();
    assert_eq!(artifacts.label(&digest).await.unwrap(), None);
}

#[tokio::test]
async fn an_artifact_that_is_too_large_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap().with_bytes_max(10);
    artifacts.put(&[1; 10][..], &label("fits")).await.unwrap();
    let error = artifacts.put(tokio::io::repeat(1), &label("endless")).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 10 }), "{error}");
    assert_eq!(uploads(data.path()), 0);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let error = artifacts.put((&b"some"[..]).chain(Broken::Breaks), &label("a")).await.unwrap_err();
    assert!(matches!(error, Error::BrokenOff(_)), "{error}");
    assert_eq!(uploads(data.path()), 0);
    let task = tokio::spawn({
        let artifacts = artifacts.clone();
        async move { artifacts.put((&b"some"[..]).chain(Broken::Hangs), &label("a")).await }
    });
    let began = async {
        while uploads(data.path()) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), began).await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(uploads(data.path()), 0);
}

#[tokio::test]
async fn what_a_kill_left_is_swept_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let digest = {
        let artifacts = Artifacts::open(data.path()).await.unwrap();
        artifacts.put(&b"kept"[..], &label("a")).await.unwrap().digest
    };
    fs::write(data.path().join("artifacts/tmp/7"), "half of someth").unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    assert_eq!(uploads(data.path()), 0);
    assert_eq!(read(&artifacts, &digest, ByteRange::All).await.unwrap(), b"kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_content_may_come_many_times_at_once() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let bytes = vec![7; 200_000];
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (artifacts, bytes) = (artifacts.clone(), bytes.clone());
            tokio::spawn(async move { artifacts.put(&bytes[..], &label("a")).await.unwrap() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().digest, Digest::of(&bytes));
    }
    assert_eq!(read(&artifacts, &Digest::of(&bytes), ByteRange::All).await.unwrap(), bytes);
    assert_eq!(uploads(data.path()), 0);
}

#[tokio::test]
async fn artifacts_are_listed_and_deleted() {
    let data = tempfile::tempdir().unwrap();
    let artifacts = Artifacts::open(data.path()).await.unwrap();
    let mut expected = Vec::new();
    for bytes in [&b"a"[..], b"bb", b"ccc"] {
        let stored = artifacts.put(bytes, &label("a")).await.unwrap();
        expected.push((stored.digest, stored.size));
    }
    let stray = place(data.path(), &expected[0].0);
    fs::write(stray.with_file_name("stray"), "not an artifact").unwrap();
    fs::write(stray.with_file_name(Digest::of(b"elsewhere").hex()), "in the wrong shard").unwrap();
    std::os::unix::fs::symlink(
        "/dev/null",
        place(data.path(), &expected[1].0).with_file_name("b".repeat(64)),
    )
    .unwrap();
    let mut listed = Vec::new();
    for shard in 0..SHARDS {
        listed.extend(artifacts.shard(shard).await.unwrap().into_iter().map(|item| (item.digest, item.size)));
    }
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    assert!(artifacts.delete(&expected[0].0).await.unwrap());
    assert_eq!(artifacts.size(&expected[0].0).await.unwrap(), None);
    assert_eq!(artifacts.label(&expected[0].0).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("artifacts"), "a file").unwrap();
    let error = Artifacts::open(data.path()).await.unwrap_err();
    assert!(matches!(&error, Error::NotWritable { .. }), "{error}");
}
