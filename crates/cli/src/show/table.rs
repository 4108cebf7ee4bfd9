//! Tables: columns in line, nothing else.

use super::{Screen, cut, printable, style::Tone};
use std::fmt::Write as _;

/// Between two columns.
const GAP: &str = "  ";

/// The narrowest that the last column is cut to.
const LAST_MIN: usize = 12;

/// One cell: a text and what its colour is for.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text with a colour.
    pub fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(Tone::None, text)
    }
}

/// Rows under titles. The last column takes what is left of a terminal's width; a pipe gets all of it.
#[derive(Debug)]
pub struct Table<const N: usize> {
    titles: [&'static str; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// An empty table.
    pub const fn new(titles: [&'static str; N]) -> Self {
        Self { titles, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.map(|cell| Cell { text: printable(&cell.text), tone: cell.tone }));
    }

    /// The lines, ended by line feeds.
    pub fn render(&self, screen: Screen) -> String {
        let widths = self.widths(screen.width());
        let mut out = String::new();
        let titles = self.titles.map(|title| Cell::toned(Tone::Dim, title));
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let text = cut(&cell.text, widths[column]);
                let last = column + 1 == N;
                let padding = if last { 0 } else { widths[column] - text.chars().count() };
                let _ = write!(line, "{}{:padding$}", screen.style.paint(cell.tone, &text), "");
                if !last {
                    line.push_str(GAP);
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    fn widths(&self, limit: Option<usize>) -> [usize; N] {
        let mut widths = self.titles.map(|title| title.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        if let (Some(limit), Some(last)) = (limit, N.checked_sub(1)) {
            let before: usize = widths[..last].iter().map(|width| width + GAP.len()).sum();
            widths[last] = widths[last].min(limit.saturating_sub(before).max(LAST_MIN));
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{Medium, style::Style};

    const PIPE: Screen = Screen { medium: Medium::Pipe, style: Style::Plain };

    #[test]
    fn columns_stand_in_line_and_no_line_ends_in_spaces() {
        let mut table = Table::new(["NAME", "STATE", "DETAIL"]);
        table.row(["parser".into(), "ready".into(), "".into()]);
        table.row(["a".into(), "starting".into(), "setup: pip install\nx".into()]);
        assert_eq!(
            table.render(PIPE),
            "NAME    STATE     DETAIL\nparser  ready\na       starting  setup: pip install\u{fffd}x\n"
        );
    }

    #[test]
    fn a_pipe_gets_every_character() {
        let mut table = Table::new(["A"]);
        table.row(["x".repeat(500).into()]);
        assert_eq!(table.render(PIPE).lines().last().unwrap().len(), 500);
    }

    #[test]
    fn a_terminal_cuts_the_last_column_only() {
        let mut table = Table::new(["A", "B"]);
        table.row(["x".repeat(10).into(), "y".repeat(100).into()]);
        assert_eq!(table.widths(Some(40)), [10, 28]);
        assert_eq!(table.widths(Some(5)), [10, 12]);
    }

    #[test]
    fn colour_does_not_move_columns() {
        let mut table = Table::new(["A", "B"]);
        table.row([Cell::toned(Tone::Good, "ok"), "y".into()]);
        let text = table.render(Screen { medium: Medium::Pipe, style: Style::Colour });
        assert_eq!(text.lines().last().unwrap(), "\u{1b}[32mok\u{1b}[0m  y");
    }
}
