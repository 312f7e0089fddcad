//! The log of a Worker.

use std::cell::RefCell;
use std::rc::Rc;

use pymode_bundle::paths::in_the_project;
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;

/// A stream whose lines go to the Worker's log. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<LineBuffer>);

/// An unfinished line.
#[derive(Default)]
struct LineBuffer(RefCell<Vec<u8>>);

/// Longer lines are split.
const LONGEST_LINE: usize = 1 << 16;

impl Log {
    /// Ends the current line.
    pub(crate) fn end_line(&self) {
        self.0.end();
    }
}

impl LineBuffer {
    fn end(&self) {
        let line = self.0.take();
        if !line.is_empty() {
            log(&line);
        }
    }
}

impl Stream for Log {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        let mut line = self.0.0.borrow_mut();
        line.extend_from_slice(bytes);
        while let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            log(&line[..end]);
            line.drain(..=end);
        }
        if line.len() > LONGEST_LINE {
            log(&line);
            line.clear();
        }
        Ok(bytes.len())
    }
}

impl Drop for LineBuffer {
    fn drop(&mut self) {
        self.end();
    }
}

fn log(line: &[u8]) {
    let line = String::from_utf8_lossy(line);
    worker::console_log!("{}", in_the_project(&line));
}
