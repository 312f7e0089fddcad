//! Python: a program with an image.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use pymode_host::program::HOME;
use pymode_host::vfs::ImageFs;

use crate::error::Error;
use crate::mapped::Mapped;
use crate::program::Program;
use crate::run::Run;

/// python.wasm and its standard library, ready to be run again and again.
#[derive(Clone)]
pub struct Python {
    program: Program,
    image: ImageFs<Mapped>,
}

/// Limit of Python's recursion in C: `engine::GUEST_STACK` is more than ten times as large.
const C_RECURSION: &str = "5000";

impl Python {
    /// Opens the interpreter and its image. Compiled code is kept in `cache_dir`.
    ///
    /// # Errors
    /// As [`Program::open`]; when the image cannot be read or is damaged.
    pub fn open(wasm: &Path, image: &Path, cache_dir: &Path) -> Result<Python, Error> {
        let mapped = Mapped::open(image).map_err(Error::file("read", image))?;
        let image = ImageFs::open(mapped).map_err(|source| Error::Image {
            path: image.into(),
            source,
        })?;
        Ok(Python {
            program: Program::open(wasm, cache_dir)?,
            image,
        })
    }

    /// A run of Python, without arguments yet.
    #[must_use]
    pub fn run(&self) -> Run {
        let mut run = self.program.run();
        run.image = Some(self.image.clone());
        run.arg("python")
            .env("PYTHONHOME", "/")
            .env("HOME", HOME)
            .env("PWD", "/")
            .env("PYMODE_C_RECURSION", C_RECURSION)
            // The other one needs termios, which WASI has not, and says so at each start.
            .env("PYTHON_BASIC_REPL", "1");
        run
    }
}

impl Run {
    /// Puts a directory of this machine on the path that Python imports from, for reading only.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn site(&mut self, dir: &Path) -> Result<&mut Run, Error> {
        let before = self
            .env_get("PYTHONPATH")
            .map(<[u8]>::to_vec)
            .unwrap_or_default();
        let number = before
            .split(|&byte| byte == b':')
            .filter(|path| path.starts_with(b"/site/"))
            .count();
        let at = format!("/site/{number}");
        self.mount_read_only(&at, dir)?;
        let mut path = OsString::from(OsStr::from_bytes(&before));
        if !path.is_empty() {
            path.push(":");
        }
        path.push(&at);
        Ok(self.env("PYTHONPATH", path))
    }
}
