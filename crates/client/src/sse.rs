//! Server-sent events: bytes in, frames out. Pure.

/// The most one event may hold: as much as one inline answer of the server.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Frame {
    /// Its name; `message` without one.
    pub event: String,
    /// Its data, lines joined by line feeds.
    pub data: String,
    /// Where to go on after it.
    pub id: Option<String>,
}

/// An event that is larger than any server of ours sends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Cuts a stream of bytes into events, as the HTML standard says.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    after_cr: bool,
    event: Option<String>,
    data: Option<String>,
    id: Option<String>,
}

impl Parser {
    /// Takes some bytes; gives the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Frame>, TooLarge> {
        let mut frames = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => frames.extend(self.end_of_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > FRAME_BYTES_MAX {
                return Err(TooLarge);
            }
        }
        Ok(frames)
    }

    fn end_of_line(&mut self) -> Option<Frame> {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        if line.is_empty() {
            return self.end_of_frame();
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event = Some(value.to_owned()),
            "id" => self.id = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // Comments keep the connection alive; `retry` is the server's wish and we have our own pace.
            _ => {}
        }
        None
    }

    fn end_of_frame(&mut self) -> Option<Frame> {
        let event = self.event.take().unwrap_or_else(|| "message".to_owned());
        let id = self.id.take();
        self.data.take().map(|data| Frame { event, data, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(event: &str, data: &str, id: Option<&str>) -> Frame {
        Frame { event: event.into(), data: data.into(), id: id.map(Into::into) }
    }

    #[test]
    fn reads_events_however_the_bytes_are_cut() {
        let text =
            ": hello\n\nid: 7\nevent: run\ndata: {\"a\":1}\n\ndata:x\r\ndata: y\r\n\r\nevent: none\n\n";
        let expected = [frame("run", "{\"a\":1}", Some("7")), frame("message", "x\ny", None)];
        for size in [1, 2, 3, 7, text.len()] {
            let mut parser = Parser::default();
            let frames: Vec<_> =
                text.as_bytes().chunks(size).flat_map(|chunk| parser.push(chunk).unwrap()).collect();
            assert_eq!(frames, expected, "cut into {size}");
        }
    }

    #[test]
    fn an_event_that_is_cut_off_is_not_an_event() {
        assert_eq!(Parser::default().push(b"event: run\ndata: {}\n"), Ok(vec![]));
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut parser = Parser::default();
        let chunk = vec![b'x'; FRAME_BYTES_MAX / 4];
        assert!((0..8).any(|_| parser.push(&chunk).is_err()));
    }
}
