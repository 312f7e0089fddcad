//! The content of `case.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `case.toml`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// One sentence: what the case shows.
    pub says: String,
    /// Directories in which names without a slash are looked for.
    #[serde(default)]
    pub library_path: Vec<String>,
    /// Second names of files: new name → file.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Files that are cut after so many bytes.
    #[serde(default)]
    pub cut: BTreeMap<String, usize>,
    /// The case depends on guest code: an engine that runs none leaves it out.
    #[serde(default)]
    pub runs: bool,
    /// Steps, in order.
    pub step: Vec<Step>,
}

impl Script {
    /// Reads one.
    ///
    /// # Errors
    /// With the place that makes no sense.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}

/// One step. Exactly one of the verbs is there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, tag = "do", rename_all = "lowercase")]
pub enum Step {
    /// `dlopen`
    Open {
        /// The file; the main module if it is left out.
        path: Option<String>,
        /// `global`, `noload`, `nodelete`; `now` and `local` go without saying.
        #[serde(default)]
        flags: Vec<Flag>,
        /// Name of the handle.
        #[serde(rename = "as")]
        name: Option<String>,
        /// It fails, and `dlerror` says what `error.txt` holds.
        #[serde(default)]
        fails: bool,
        /// It succeeds, but a call of the guest has failed meanwhile and left its error.
        #[serde(default)]
        inner_error: bool,
    },
    /// `dlsym`
    Sym {
        /// The symbol.
        name: String,
        /// The handle; `RTLD_DEFAULT` if it is left out.
        of: Option<String>,
        /// Name of the address.
        #[serde(rename = "as")]
        alias: Option<String>,
        /// It fails, and `dlerror` says what `error.txt` holds.
        #[serde(default)]
        fails: bool,
    },
    /// `dlclose`
    Close {
        /// The handle.
        handle: String,
        /// It fails, and `dlerror` says what `error.txt` holds.
        #[serde(default)]
        fails: bool,
    },
    /// Calls a function: `handle.symbol`, or an address by its name.
    Call {
        /// Which one.
        function: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<i32>,
        /// Expected result.
        gives: Option<i32>,
        /// It traps.
        #[serde(default)]
        traps: bool,
    },
    /// Reads an `i32`: at `handle.symbol`, or at an address by its name.
    Read {
        /// Which one.
        data: String,
        /// Expected value.
        gives: i32,
    },
    /// Addresses or handles that are equal.
    Same {
        /// Their names.
        all: Vec<String>,
    },
    /// Addresses or handles that all differ.
    Differ {
        /// Their names.
        all: Vec<String>,
    },
    /// The loaded modules, in order.
    Loaded {
        /// Paths.
        paths: Vec<String>,
    },
}

/// A flag of `dlopen`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flag {
    /// `RTLD_GLOBAL`
    Global,
    /// `RTLD_NOLOAD`
    Noload,
    /// `RTLD_NODELETE`
    Nodelete,
}

impl Flag {
    /// The number in the guest's `<dlfcn.h>`.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::Global => 256,
            Self::Noload => 4,
            Self::Nodelete => 4096,
        }
    }
}
