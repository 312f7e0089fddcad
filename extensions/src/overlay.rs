//! The guest's headers and static libraries of build requirements. A build runs with packages of this machine, but NumPy's
//! headers and static libraries describe the machine that NumPy was built for: the guest's replace them.

use std::fs;
use std::path::{Path, PathBuf};

use pymode_toolchain::{CacheError, Key, link_tree};
use walkdir::WalkDir;

use crate::SOURCES;
use crate::build::Builder;
use crate::error::Error;
use crate::spec::Spec;

/// Packages that others compile against. Header-only packages, such as pybind11, are the same for all machines.
const COMPILED_AGAINST: &[&str] = &["numpy"];

/// Extensions of the files that compilers read, Cython among them.
const FOR_COMPILERS: &[&str] = &["h", "hpp", "a", "pxd", "pc"];

impl Builder<'_> {
    /// Replaces the files that compilers read with the guest's. Builds such a package for the guest first.
    pub(crate) fn with_guests_parts(&self, packages: PathBuf) -> Result<PathBuf, Error> {
        let mut packages = packages;
        for name in COMPILED_AGAINST {
            let Some(version) = version_of(name, &packages)? else {
                continue;
            };
            let spec: Spec = format!("{name}=={version}").parse()?;
            let site = self.install(&self.build(&spec)?)?;
            let key = Key::new("with-guests-parts")
                .field("packages", packages.to_string_lossy())
                .field("site", site.to_string_lossy())
                .field("sources", SOURCES);
            let dir = self.cache.entry("environments", &key, |dir| {
                let copy = dir.join("packages");
                link_tree(&packages, &copy)?;
                overlay(&site, &copy)?;
                Ok::<_, Error>(())
            })?;
            packages = dir.join("packages");
        }
        Ok(packages)
    }
}

/// The version of an installed package, by its metadata directory.
fn version_of(name: &str, packages: &Path) -> Result<Option<String>, Error> {
    let entries = fs::read_dir(packages).map_err(CacheError::io("list", packages))?;
    for entry in entries {
        let entry = entry.map_err(CacheError::io("list", packages))?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let version = file
            .strip_suffix(".dist-info")
            .and_then(|stem| stem.strip_prefix(name)?.strip_prefix('-'));
        if let Some(version) = version {
            return Ok(Some(version.to_owned()));
        }
    }
    Ok(None)
}

/// Replaces each file that compilers read. Removes links first, because they lead into another directory of the cache.
fn overlay(site: &Path, packages: &Path) -> Result<(), CacheError> {
    for entry in WalkDir::new(site) {
        let entry = entry.map_err(|e| CacheError::io("list", site)(e.into()))?;
        let path = entry.path();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        if !entry.file_type().is_file() || !FOR_COMPILERS.contains(&&*extension) {
            continue;
        }
        let target = packages.join(path.strip_prefix(site).expect("the walk begins there"));
        if let Err(e) = fs::remove_file(&target)
            && e.kind() != std::io::ErrorKind::NotFound
        {
            return Err(CacheError::io("replace", &target)(e));
        }
        let parent = target.parent().unwrap_or(packages);
        fs::create_dir_all(parent).map_err(CacheError::io("create", parent))?;
        fs::copy(path, &target).map_err(CacheError::io("copy", path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{overlay, version_of};
    use std::fs;

    #[test]
    fn headers_are_replaced_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let (site, packages) = (dir.path().join("site"), dir.path().join("packages"));
        let original = dir.path().join("original.h");
        fs::write(&original, "this machine's").expect("a header");
        for root in [&site, &packages] {
            fs::create_dir_all(root.join("numpy/include")).expect("directories");
        }
        fs::hard_link(&original, packages.join("numpy/include/a.h")).expect("a link");
        fs::write(packages.join("numpy/x.py"), "this machine's").expect("a module");
        for file in ["numpy/include/a.h", "numpy/x.py", "numpy/lib.a"] {
            fs::write(site.join(file), "the guest's").expect("a file");
        }
        overlay(&site, &packages).expect("it is done");
        let text = |file: &str| fs::read_to_string(packages.join(file)).unwrap_or_default();
        assert_eq!(text("numpy/include/a.h"), "the guest's");
        assert_eq!(text("numpy/lib.a"), "the guest's");
        assert_eq!(text("numpy/x.py"), "this machine's");
        let kept = fs::read_to_string(original).expect("it is there");
        assert_eq!(kept, "this machine's", "what was linked stays");
    }

    #[test]
    fn a_version_is_in_the_metadatas_name() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in [
            "numpy_financial-1.0.dist-info",
            "numpy-2.5.5.dist-info",
            "numpy",
        ] {
            fs::create_dir(dir.path().join(name)).expect("a directory");
        }
        let version = version_of("numpy", dir.path()).expect("it is read");
        assert_eq!(version.as_deref(), Some("2.5.5"));
        assert_eq!(version_of("scipy", dir.path()).expect("it is read"), None);
    }
}
