//! Artifacts: bytes in, bytes out, never whole in memory.

use crate::{
    codes,
    context::Api,
    extract::{Path, Query, header},
    problem::Refusal,
};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header as names},
    response::{IntoResponse, Response},
};
use consort_artifacts::{ByteRange, Label, Reading};
use consort_types::Digest;
use consort_wire::{Artifact, DownloadQuery, UploadQuery};
use futures_util::{Stream, StreamExt, stream};
use std::{fmt::Write, io, time::Duration};
use tokio_util::io::{ReaderStream, StreamReader};

/// How long an upload may stand still before it is given up.
const STALL_MAX: Duration = Duration::from_secs(30);

/// Media type of bytes that nothing is known about.
const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream";

/// How long a media type may be, in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// How long a file name may be, in bytes: what file systems take.
const NAME_BYTES_MAX: usize = 255;

/// Bytes of an artifact read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// What may never run in our origin, whatever was uploaded.
const SANDBOX: &str = "default-src 'none'; sandbox";

/// Upload bytes
///
/// The answer is a value of type `file`, to be put into an input as it is.
#[utoipa::path(post, path = "/artifacts", tag = "artifacts", params(UploadQuery), request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The bytes; the Content-Type becomes the media type of the file"), responses((status = 201, body = Artifact)))]
pub async fn upload_artifact(
    State(api): Api,
    Query(query): Query<UploadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Artifact>), Refusal> {
    let label = Label { name: file_name(query.name.as_deref()), media_type: media_type(&headers) };
    let bytes = StreamReader::new(Box::pin(unstalled(body.into_data_stream())));
    let stored = api.artifacts.put(bytes, &label).await?;
    let Label { name, media_type } = label;
    let url = format!("{}/api/v1/artifacts/{}?name={}", api.url(), stored.digest, percent_encoded(&name));
    let artifact = Artifact { artifact: stored.digest, name, media_type, size: stored.size, url };
    Ok((StatusCode::CREATED, Json(artifact)))
}

/// The chunks of a body, until they stand still.
fn unstalled(
    chunks: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin + Send,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(chunks, |mut chunks| async move {
        let stalled = |_| io::Error::new(io::ErrorKind::TimedOut, "nothing came for 30 s");
        let chunk = match tokio::time::timeout(STALL_MAX, chunks.next()).await.map_err(stalled) {
            Ok(None) => return None,
            Ok(Some(chunk)) => chunk.map_err(io::Error::other),
            Err(error) => Err(error),
        };
        Some((chunk, chunks))
    })
}

/// Download bytes, all or a range
#[utoipa::path(
    get, path = "/artifacts/{digest}", tag = "artifacts",
    params(
        ("digest" = String, Path, description = "`sha256:` and 64 hex digits"), DownloadQuery,
        ("Range" = Option<String>, Header, description = "One range of bytes: `bytes=0-99`"),
    ),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "All bytes"),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream", description = "The range"),
        (status = 304, description = "The reader has it already"),
    )
)]
pub async fn download_artifact(
    State(api): Api,
    Path(digest): Path<String>,
    Query(query): Query<DownloadQuery>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let missing = || Refusal::new(codes::E_NOT_FOUND, format!("there is no artifact {digest:?}"));
    let digest: Digest = digest.parse().map_err(|_| missing())?;
    let etag = format!("\"{digest}\"");
    if headers.get(names::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        api.artifacts.size(&digest).await?.ok_or_else(missing)?;
        return Ok((StatusCode::NOT_MODIFIED, [(names::ETAG, etag)]).into_response());
    }
    let range = match headers.get(names::IF_RANGE) {
        Some(known) if known.as_bytes() != etag.as_bytes() => ByteRange::All,
        _ => header(&headers, "range").map_or(ByteRange::All, |Range(range)| range),
    };
    let reading = match api.artifacts.read(&digest, range).await {
        Err(consort_artifacts::Error::OutOfRange { size }) => {
            let refusal: Refusal = consort_artifacts::Error::OutOfRange { size }.into();
            return Ok(([(names::CONTENT_RANGE, format!("bytes */{size}"))], refusal).into_response());
        }
        other => other?,
    };
    let label = api.artifacts.label(&digest).await?;
    let stored_name = label.as_ref().map(|label| label.name.as_str());
    let name = file_name(query.name.as_deref().or(stored_name));
    let media_type = label.map_or_else(|| UNKNOWN_MEDIA_TYPE.to_owned(), |label| label.media_type);
    Ok(answer(reading, range, &name, &media_type, &etag))
}

fn answer(reading: Reading, range: ByteRange, name: &str, media_type: &str, etag: &str) -> Response {
    let Reading { bytes, start, length, size } = reading;
    let unknown = HeaderValue::from_static(UNKNOWN_MEDIA_TYPE);
    let media_type = HeaderValue::from_str(media_type).unwrap_or(unknown);
    let disposition = format!("attachment; filename*=UTF-8''{}", percent_encoded(name));
    let body = Body::from_stream(ReaderStream::with_capacity(bytes, CHUNK_BYTES));
    let text = |text: String| HeaderValue::try_from(text).expect("made of plain ASCII");
    let headers: [(HeaderName, HeaderValue); 7] = [
        (names::CONTENT_TYPE, media_type),
        (names::CONTENT_LENGTH, HeaderValue::from(length)),
        (names::CONTENT_DISPOSITION, text(disposition)),
        (names::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
        (names::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (names::ETAG, text(etag.to_owned())),
        // What is at a digest never changes.
        (names::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
    ];
    if range == ByteRange::All {
        return (headers, body).into_response();
    }
    let end = start + length.saturating_sub(1);
    let part = [(names::CONTENT_RANGE, format!("bytes {start}-{end}/{size}"))];
    (StatusCode::PARTIAL_CONTENT, headers, part, body).into_response()
}

/// A `Range` header of one range. Others, and what cannot be read, are passed over, as RFC 9110 allows.
struct Range(ByteRange);

impl std::str::FromStr for Range {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (first, last) = text.trim().strip_prefix("bytes=").ok_or(())?.split_once('-').ok_or(())?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| ());
        Ok(Self(match (first.trim(), last.trim()) {
            ("", last) => ByteRange::Last(number(last)?),
            (first, "") => ByteRange::From(number(first)?),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                // Not a range at all, unlike one behind the end.
                if last < first {
                    return Err(());
                }
                ByteRange::Between(first, last)
            }
        }))
    }
}

/// A file name without folders and without what could steer a terminal or a shell's display.
fn file_name(asked: Option<&str>) -> String {
    let last = asked.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let mut name: String = last.chars().filter(|c| !c.is_control()).collect();
    while name.len() > NAME_BYTES_MAX {
        name.pop();
    }
    if matches!(name.trim(), "" | "." | "..") { "unnamed".to_owned() } else { name }
}

fn media_type(headers: &HeaderMap) -> String {
    let declared: Option<String> = header(headers, "content-type");
    declared
        .filter(|text| (1..=MEDIA_TYPE_BYTES_MAX).contains(&text.len()) && text.contains('/'))
        .unwrap_or_else(|| UNKNOWN_MEDIA_TYPE.to_owned())
}

/// As RFC 3986 (unreserved characters stay) and RFC 8187 want it.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folders_and_no_controls() {
        for (asked, name) in [
            (Some("stub.pdf"), "stub.pdf"),
            (Some("../../etc/passwd"), "passwd"),
            (Some("C:\\x\\y.txt"), "y.txt"),
            (Some("a\u{1b}[2J\r\n.pdf"), "a[2J.pdf"),
            (Some(".."), "unnamed"),
            (Some("x/"), "unnamed"),
            (None, "unnamed"),
        ] {
            assert_eq!(file_name(asked), name, "{asked:?}");
        }
        assert_eq!(file_name(Some(&"é".repeat(300))).len(), 254);
        assert_eq!(percent_encoded("ä b\".pdf"), "%C3%A4%20b%22.pdf");
    }

    #[test]
    fn one_range_is_understood() {
        let range = |text: &str| text.parse().ok().map(|Range(range)| range);
        assert_eq!(range("bytes=0-99"), Some(ByteRange::Between(0, 99)));
        assert_eq!(range("bytes=5-"), Some(ByteRange::From(5)));
        assert_eq!(range("bytes=-5"), Some(ByteRange::Last(5)));
        for other in ["bytes=9-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=x-1", ""] {
            assert_eq!(range(other), None, "{other}");
        }
    }
}
