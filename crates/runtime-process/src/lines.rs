//! Bytes of a pipe as lines.

use consort_runtime::LOG_LINE_BYTES_MAX;

/// What stands at the end of a line that was cut.
const CUT_MARK: &str = " […cut]";

/// Cuts what comes from a pipe into lines of bounded length.
#[derive(Default)]
pub(crate) struct Lines {
    partial: Vec<u8>,
    cut: bool,
}

impl Lines {
    /// Takes the next bytes and hands out each line that they complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], emit: &mut impl FnMut(String)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            self.flush(emit);
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    /// Hands out what is left when the pipe has ended.
    pub(crate) fn finish(&mut self, emit: &mut impl FnMut(String)) {
        if !self.partial.is_empty() {
            self.flush(emit);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LOG_LINE_BYTES_MAX - self.partial.len();
        self.cut |= bytes.len() > room;
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn flush(&mut self, emit: &mut impl FnMut(String)) {
        let bytes = self.partial.strip_suffix(b"\r").unwrap_or(&self.partial);
        let mut line = String::from_utf8_lossy(bytes).into_owned();
        if self.cut {
            line.push_str(CUT_MARK);
        }
        self.partial.clear();
        self.cut = false;
        emit(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        let mut emit = |line| found.push(line);
        chunks.iter().for_each(|chunk| lines.push(chunk, &mut emit));
        lines.finish(&mut emit);
        found
    }

    #[test]
    fn lines_are_whole_however_the_pipe_cuts_them() {
        assert_eq!(lines(&[b"a\nb", b"c\r\n\n", b"d"]), ["a", "bc", "", "d"]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        assert!(lines(&[b""]).is_empty());
    }

    #[test]
    fn a_line_without_end_is_cut_and_marked() {
        let chunk = [b'x'; 5000];
        let found = lines(&[chunk.as_slice(); 20]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].len(), LOG_LINE_BYTES_MAX + CUT_MARK.len());
        assert!(found[0].ends_with(CUT_MARK));
    }
}
