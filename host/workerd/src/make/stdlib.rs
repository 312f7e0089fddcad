//! The standard library in a bundle.

/// Path of the library in the image.
const LIBRARY: &str = "lib/python3.13/";
/// Path of its C modules in the library.
const C_MODULES: &str = "lib-dynload/";
/// Path of libraries that C modules share.
const SHARED: &str = "lib/";
/// Path of the time zones, and their name among the modules.
const ZONES: (&str, &str) = ("usr/share/zoneinfo/", "tzdata");

/// Modules that are omitted from the image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Omitted {
    /// Modules and packages by their top-level names. Their C modules are omitted, too: `_sqlite3` with `sqlite3`.
    /// `tzdata` stands for the time zones.
    pub modules: Vec<String>,
    /// Names of shared libraries to keep; `None` keeps all.
    pub shared: Option<Vec<String>>,
}

impl Omitted {
    /// Returns `true` if this file or directory of the image is omitted.
    pub(crate) fn has(&self, path: &str) -> bool {
        if path.starts_with(ZONES.0) {
            return self.modules.iter().any(|module| module == ZONES.1);
        }
        match path.strip_prefix(LIBRARY) {
            Some(inside) => self.modules.iter().any(|module| belongs_to(module, inside)),
            None => match path.strip_prefix(SHARED) {
                Some(library) if library.ends_with(".wasm") => self
                    .shared
                    .as_ref()
                    .is_some_and(|kept| kept.iter().all(|name| name != library)),
                _ => false,
            },
        }
    }

    /// Returns the first omitted module that has no file.
    pub(crate) fn unknown<'a>(&self, paths: impl Iterator<Item = &'a str> + Clone) -> Option<&str> {
        let is_there = |module: &str| {
            paths.clone().any(|path| match path.strip_prefix(LIBRARY) {
                Some(inside) => belongs_to(module, inside),
                None => module == ZONES.1 && path.starts_with(ZONES.0),
            })
        };
        self.modules
            .iter()
            .map(String::as_str)
            .find(|module| !is_there(module))
    }
}

/// Returns `true` if a file of the library belongs to this module.
fn belongs_to(module: &str, inside: &str) -> bool {
    let is_named = |name: &str| {
        let rest = name.strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
    };
    match inside.strip_prefix(C_MODULES) {
        Some(name) => is_named(name) || name.strip_prefix('_').is_some_and(is_named),
        None => is_named(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_goes_with_its_files_and_no_other() {
        let left_out = Omitted {
            modules: vec!["sqlite3".into(), "this".into(), "_pyio".into()],
            shared: Some(vec!["libkept.wasm".into()]),
        };
        for path in [
            "lib/python3.13/sqlite3",
            "lib/python3.13/sqlite3/__init__.pyc",
            "lib/python3.13/lib-dynload/_sqlite3.cpython-313-wasm32-pymode1.wasm",
            "lib/python3.13/this.pyc",
            "lib/python3.13/_pyio.pyc",
            "lib/libc++.wasm",
        ] {
            assert!(left_out.has(path), "{path}");
        }
        for path in [
            "lib/python3.13/sqlite3_more.pyc",
            "lib/python3.13/json/this.pyc",
            "lib/python3.13/lib-dynload/_decimal.cpython-313-wasm32-pymode1.wasm",
            "lib/libkept.wasm",
            "tmp/this.pyc",
        ] {
            assert!(!left_out.has(path), "{path}");
        }
        assert!(!Omitted::default().has("lib/libc++.wasm"));
    }

    #[test]
    fn the_time_zones_are_left_out_by_name() {
        let zone = "usr/share/zoneinfo/Europe/Berlin";
        let left_out = Omitted {
            modules: vec!["tzdata".into()],
            shared: None,
        };
        assert!(left_out.has(zone));
        assert!(!Omitted::default().has(zone));
        assert_eq!(left_out.unknown([zone].into_iter()), None);
        assert_eq!(
            left_out.unknown(["lib/python3.13/os.pyc"].into_iter()),
            Some("tzdata")
        );
    }

    #[test]
    fn a_name_that_is_not_there_is_found() {
        let left_out = Omitted {
            modules: vec!["json".into(), "jsno".into()],
            shared: None,
        };
        let paths = ["lib/python3.13/json/__init__.pyc", "lib/python3.13/os.pyc"];
        assert_eq!(left_out.unknown(paths.into_iter()), Some("jsno"));
        assert_eq!(
            left_out.unknown(["lib/python3.13/jsno.pyc", paths[0]].into_iter()),
            None
        );
    }
}
