//! Projects as they are published.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Writes the sdist of a project, with the same bytes each time, so that it is built once.
///
/// # Errors
///
/// When a file cannot be read or written.
pub fn sdist(root: &Path, module: &str, into: &Path) -> io::Result<PathBuf> {
    let path = into.join(format!("{module}-1.0.tar.gz"));
    let mut archive = tar::Builder::new(GzEncoder::new(
        fs::File::create(&path)?,
        Compression::fast(),
    ));
    archive.mode(tar::HeaderMode::Deterministic);
    let mut files = Vec::new();
    list(root, &mut files)?;
    files.sort();
    for file in files {
        let below = file.strip_prefix(root).unwrap_or(&file);
        let name = Path::new(&format!("{module}-1.0")).join(below);
        archive.append_path_with_name(&file, name)?;
    }
    archive.into_inner()?.finish()?;
    Ok(path)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
