//! The settings of a bundle: a file that the Worker reads when it starts.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The version of the contract, which is everything in this crate. A Worker refuses a bundle with another version.
pub const VERSION: u8 = 1;

/// The way in which a Worker answers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WorkerMode {
    /// Runs the program in the request. For local use only.
    Run,
    /// Starts a fresh interpreter for each request.
    Request,
    /// Answers all requests with one interpreter, one after the other.
    #[default]
    Persistent,
}

const MODES: [WorkerMode; 3] = [WorkerMode::Run, WorkerMode::Request, WorkerMode::Persistent];

/// The settings of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BundleSettings {
    /// The way in which it answers requests.
    pub mode: WorkerMode,
    /// The name of the main module in messages.
    pub name: String,
    /// Additional directories that are searched for libraries without a path.
    pub library_path: Vec<String>,
    /// Maximum size of `/tmp`, and of the growth of the current directory, in bytes.
    pub writable: u64,
    /// `true` if the loader traces to standard error.
    pub traces_loads: bool,
    /// `true` if answers contain tracebacks.
    pub development: bool,
    /// Environment of guests that answer requests: names and values.
    pub environment: Vec<(String, String)>,
    /// Files that look like side modules and are invalid: paths and reasons.
    pub refused: Vec<(String, String)>,
    /// Notes about symbols that may be missing, for the loader.
    pub notes: String,
}

/// Errors of reading settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleSettingsError {
    /// They have another version.
    Version(u8),
    /// They are damaged.
    Malformed,
}

impl fmt::Display for BundleSettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BundleSettingsError::Version(version) => write!(
                f,
                "the Worker has version {VERSION} of the bundle format, but its settings have version {version}\n  hint: run `pymode build` again, and deploy all files that it writes"
            ),
            BundleSettingsError::Malformed => f.write_str(
                "the settings of the Worker's bundle are damaged\n  hint: run `pymode build` again, and deploy all files that it writes",
            ),
        }
    }
}

impl core::error::Error for BundleSettingsError {}

impl BundleSettings {
    /// Returns the settings as a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let BundleSettings {
            mode,
            name,
            library_path,
            writable,
            traces_loads,
            development,
            environment,
            refused,
            notes,
        } = self;
        let mode = MODES.iter().position(|known| known == mode);
        let mut out = Vec::from([VERSION, mode.unwrap_or_default() as u8]);
        out.extend([*traces_loads, *development].map(u8::from));
        out.extend(writable.to_le_bytes());
        put(&mut out, name);
        put(&mut out, notes);
        put_number(&mut out, library_path.len());
        for path in library_path {
            put(&mut out, path);
        }
        for pairs in [environment, refused] {
            put_number(&mut out, pairs.len());
            for (name, value) in pairs {
                put(&mut out, name);
                put(&mut out, value);
            }
        }
        out
    }

    /// Reads settings from a file.
    ///
    /// # Errors
    /// When the file is damaged, or has another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<BundleSettings, BundleSettingsError> {
        match bytes.first() {
            Some(&VERSION) => Fields(&bytes[1..])
                .settings()
                .ok_or(BundleSettingsError::Malformed),
            Some(version) => Err(BundleSettingsError::Version(*version)),
            None => Err(BundleSettingsError::Malformed),
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u32).to_le_bytes());
}

fn put(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn settings(mut self) -> Option<BundleSettings> {
        let settings = BundleSettings {
            mode: *MODES.get(usize::from(self.bytes::<1>()?[0]))?,
            traces_loads: self.flag()?,
            development: self.flag()?,
            writable: u64::from_le_bytes(self.bytes()?),
            name: self.text()?,
            notes: self.text()?,
            library_path: self.list(Fields::text)?,
            environment: self.list(Fields::pair)?,
            refused: self.list(Fields::pair)?,
        };
        self.0.is_empty().then_some(settings)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.bytes::<1>()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.bytes()?)).ok()
    }

    fn text(&mut self) -> Option<String> {
        let len = self.number()?;
        let (text, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(str::from_utf8(text).ok()?.into())
    }

    fn pair(&mut self) -> Option<(String, String)> {
        Some((self.text()?, self.text()?))
    }

    /// The count is not trusted: nothing is allocated for it.
    fn list<T>(&mut self, item: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        (0..self.number()?).map(|_| item(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> BundleSettings {
        let pair = |name: &str, value: &str| (String::from(name), String::from(value));
        BundleSettings {
            mode: WorkerMode::Request,
            name: "python.wasm".into(),
            library_path: Vec::from(["/library/1".into(), "".into()]),
            writable: 32 << 20,
            traces_loads: false,
            development: true,
            environment: Vec::from([pair("PYTHONHOME", "/"), pair("ä", "")]),
            refused: Vec::from([pair("/app/x.wasm", "no")]),
            notes: "notes\nof two lines".into(),
        }
    }

    #[test]
    fn settings_come_back_as_they_were() {
        for settings in [settings(), BundleSettings::default()] {
            assert_eq!(
                BundleSettings::from_bytes(&settings.to_bytes()),
                Ok(settings)
            );
        }
        for mode in MODES {
            let settings = BundleSettings {
                mode,
                ..BundleSettings::default()
            };
            assert_eq!(
                BundleSettings::from_bytes(&settings.to_bytes()),
                Ok(settings)
            );
        }
    }

    #[test]
    fn damaged_settings_are_refused() {
        let whole = settings().to_bytes();
        for end in 0..whole.len() {
            let error = BundleSettings::from_bytes(&whole[..end]);
            assert_eq!(error, Err(BundleSettingsError::Malformed), "{end}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(
            BundleSettings::from_bytes(&longer),
            Err(BundleSettingsError::Malformed)
        );
        for (at, byte) in [(1, 3), (2, 2), (12, 0xff), (15, 0xff)] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            let error = BundleSettings::from_bytes(&damaged);
            assert_eq!(error, Err(BundleSettingsError::Malformed), "{at}");
        }
        let mut other = whole;
        other[0] = VERSION + 1;
        assert_eq!(
            BundleSettings::from_bytes(&other),
            Err(BundleSettingsError::Version(VERSION + 1))
        );
    }
}
