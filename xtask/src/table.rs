//! Cells of a page's tables.

/// Formats text as a cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}

/// Formats a file's size.
pub(crate) fn size(bytes: u64) -> String {
    match bytes as f64 / 1e3 {
        small if small < 1000.0 => format!("{:.0} KB", small.max(1.0)),
        large => format!("{:.1} MB", large / 1e3),
    }
}
