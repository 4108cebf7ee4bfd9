//! Artifacts: bytes in, bytes out, never whole in memory.

use crate::{Client, Error};
use bytes::Bytes;
use consort_types::Digest;
use consort_wire::{Artifact, UploadQuery};
use futures_util::StreamExt;
use reqwest::{Body, Method, header};
use std::path::Path;
use tokio::{
    fs::File,
    io::{AsyncWrite, AsyncWriteExt},
};
use tokio_util::io::ReaderStream;

/// Media type of bytes that nothing is known about.
const UNKNOWN_MEDIA_TYPE: &str = "application/octet-stream";

impl Client {
    /// `POST /artifacts` with the content of a file, as a stream; its name is the file's.
    ///
    /// # Errors
    /// `File` when it cannot be read, `Limit` when it is too large, and as every call.
    pub async fn upload_file(&self, path: &Path) -> Result<Artifact, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let file = File::open(path).await.map_err(failed)?;
        let metadata = file.metadata().await.map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let media_type = media_type(path);
        let request = self.unbounded(Method::POST, &["artifacts"]).query(&UploadQuery { name });
        let mut request = request.header(header::CONTENT_TYPE, media_type);
        // A pipe or a device has no length; it is sent in chunks.
        if metadata.is_file() {
            request = request.header(header::CONTENT_LENGTH, metadata.len());
        }
        self.read(request.body(Body::wrap_stream(ReaderStream::new(file)))).await
    }

    /// `POST /artifacts` with bytes that are at hand.
    ///
    /// # Errors
    /// As [`Client::upload_file`].
    pub async fn upload(&self, name: &str, media_type: &str, bytes: Bytes) -> Result<Artifact, Error> {
        let query = UploadQuery { name: Some(name.to_owned()) };
        let request = self.unbounded(Method::POST, &["artifacts"]).query(&query);
        self.read(request.header(header::CONTENT_TYPE, media_type).body(bytes)).await
    }

    /// `GET /artifacts/{digest}` into a writer; gives the number of bytes.
    ///
    /// # Errors
    /// `NotFound` for unknown bytes, `File` when they cannot be written, and as every call.
    pub async fn download(&self, digest: Digest, into: &mut (impl AsyncWrite + Unpin)) -> Result<u64, Error> {
        let failed = |source| Error::File { path: "output".into(), source };
        let response = self.send(self.unbounded(Method::GET, &["artifacts", &digest.to_string()])).await?;
        let mut chunks = response.bytes_stream();
        let mut total = 0;
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| self.broken(&error))?;
            into.write_all(&chunk).await.map_err(failed)?;
            total += chunk.len() as u64;
        }
        into.flush().await.map_err(failed)?;
        Ok(total)
    }
}

/// The media type by the file's extension: the common ones; a service that cares looks at the bytes.
fn media_type(path: &Path) -> &'static str {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    match extension.as_deref().and_then(|extension| extension.to_str()) {
        Some("pdf") => "application/pdf",
        Some("json") => "application/json",
        Some("csv") => "text/csv",
        Some("txt" | "log" | "md") => "text/plain",
        Some("html" | "htm") => "text/html",
        Some("xml") => "application/xml",
        Some("yaml" | "yml") => "application/yaml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("tif" | "tiff") => "image/tiff",
        Some("zip") => "application/zip",
        Some("tar") => "application/x-tar",
        Some("gz") => "application/gzip",
        Some("parquet") => "application/vnd.apache.parquet",
        _ => UNKNOWN_MEDIA_TYPE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_by_extension() {
        for (path, expected) in [
            ("stub.pdf", "application/pdf"),
            ("STUB.PDF", "application/pdf"),
            ("a.tar.gz", "application/gzip"),
            ("noext", UNKNOWN_MEDIA_TYPE),
            (".pdf", UNKNOWN_MEDIA_TYPE),
        ] {
            assert_eq!(media_type(Path::new(path)), expected, "{path}");
        }
    }
}
