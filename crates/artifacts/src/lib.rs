//! Content-addressed bytes in a local folder.
