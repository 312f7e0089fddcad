//! Archives from people who mean harm, and from people who mean well.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use pymode_toolchain::archive::{ArchiveError, Limits, unpack, unpack_within};
use tar::{EntryType, Header};
use tempfile::TempDir;

/// A directory with an archive and, below it, the place it is unpacked into.
struct Bench {
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("in")).expect("made");
        Self { dir }
    }

    fn inside(&self) -> PathBuf {
        self.dir.path().join("in")
    }

    /// Writes `a.tar` from raw entries: kind, path, link target or contents.
    fn tar(&self, entries: &[(EntryType, &str, &str)]) -> PathBuf {
        let path = self.dir.path().join("a.tar");
        let mut builder = tar::Builder::new(File::create(&path).expect("made"));
        for (kind, name, text) in entries {
            let mut header = Header::new_gnu();
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            header.set_mtime(1_000_000_000);
            header.set_size(if is_link { 0 } else { text.len() as u64 });
            // Written by hand: the library refuses to make what we are to refuse.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if is_link {
                header.as_old_mut().linkname[..text.len()].copy_from_slice(text.as_bytes());
            }
            header.set_cksum();
            let body: &[u8] = if is_link { &[] } else { text.as_bytes() };
            builder.append(&header, body).expect("written");
        }
        builder.into_inner().expect("finished");
        path
    }

    fn zip(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.dir.path().join("a.whl");
        let mut zip = zip::ZipWriter::new(File::create(&path).expect("made"));
        zip.start_file(
            name,
            zip::write::SimpleFileOptions::default().unix_permissions(mode),
        )
        .expect("begun");
        zip.write_all(b"x").expect("written");
        zip.finish().expect("finished");
        path
    }

    /// All that exists below the bench, but for the archive.
    fn outside(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.dir.path()).expect("read");
        let names = entries.map(|entry| PathBuf::from(entry.expect("an entry").file_name()));
        names
            .filter(|name| name != "in" && !name.starts_with("a.tar") && !name.starts_with("a.whl"))
            .collect()
    }
}

fn refused(result: Result<(), ArchiveError>, why: &str) {
    match result {
        Err(ArchiveError::Hostile { reason, .. }) => assert!(reason.contains(why), "{reason}"),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn paths_and_links_that_lead_outside_are_refused() {
    use EntryType::{Block, Fifo, Link, Regular, Symlink};
    for (entries, why) in [
        (&[(Regular, "../escaped", "x")][..], "`..`"),
        (&[(Regular, "a/../../escaped", "x")], "`..`"),
        (&[(Regular, "/escaped", "x")], "absolute"),
        (&[(Regular, "a\\..\\escaped", "x")], "backslash"),
        (&[(Symlink, "link", "/etc/passwd")], "leads outside"),
        (&[(Symlink, "a/link", "../../escaped")], "leads outside"),
        (&[(Link, "link", "../escaped")], "leads outside"),
        (&[(Symlink, "link", "nothing")], "to nothing"),
        (&[(Fifo, "pipe", "")], "neither"),
        (&[(Block, "disk", "")], "neither"),
    ] {
        let bench = Bench::new();
        refused(unpack(&bench.tar(entries), &bench.inside()), why);
        assert!(bench.outside().is_empty(), "{:?}", bench.outside());
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let bench = Bench::new();
    // The link stays inside and is no escape by itself; writing through it must still not work.
    let tar = bench.tar(&[
        (EntryType::Directory, "real", ""),
        (EntryType::Symlink, "link", "real"),
        (EntryType::Regular, "link/file", "x"),
    ]);
    unpack(&tar, &bench.inside()).expect("each path is inside");
    assert!(
        bench
            .inside()
            .join("link")
            .symlink_metadata()
            .expect("there")
            .is_dir(),
        "no link was made"
    );
    assert!(!bench.inside().join("real/file").exists());
}

#[test]
fn links_inside_become_copies() {
    let bench = Bench::new();
    let tar = bench.tar(&[
        (EntryType::Symlink, "a/link", "../b/file"),
        (EntryType::Link, "hard", "b/file"),
        (EntryType::Regular, "b/file", "text"),
    ]);
    unpack(&tar, &bench.inside()).expect("it is well");
    for name in ["a/link", "hard", "b/file"] {
        let path = bench.inside().join(name);
        assert!(path.symlink_metadata().expect("there").is_file());
        assert_eq!(fs::read_to_string(path).expect("read"), "text");
    }
    let time = bench
        .inside()
        .join("b/file")
        .metadata()
        .and_then(|meta| meta.modified())
        .expect("a time");
    assert_eq!(
        time.duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs(),
        1_000_000_000
    );
}

#[test]
fn zip_archives_are_held_to_the_same() {
    for (name, why) in [
        ("../escaped", "`..`"),
        ("/escaped", "absolute"),
        ("a/../../x", "`..`"),
    ] {
        let bench = Bench::new();
        refused(unpack(&bench.zip(name, 0o644), &bench.inside()), why);
        assert!(bench.outside().is_empty());
    }
    let bench = Bench::new();
    let path = bench.dir.path().join("a.whl");
    let mut zip = zip::ZipWriter::new(File::create(&path).expect("made"));
    zip.add_symlink(
        "link",
        "/etc/passwd",
        zip::write::SimpleFileOptions::default(),
    )
    .expect("added");
    zip.finish().expect("finished");
    refused(unpack(&path, &bench.inside()), "is a link");

    let bench = Bench::new();
    unpack(&bench.zip("bin/tool", 0o755), &bench.inside()).expect("it is well");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = bench
            .inside()
            .join("bin/tool")
            .metadata()
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
    }
}

#[test]
fn size_and_number_are_bounded() {
    let limits = Limits {
        bytes: 1000,
        entries: 3,
    };
    let too_large = |path: &Path, bench: &Bench| {
        let result = unpack_within(path, &bench.inside(), limits);
        assert!(
            matches!(result, Err(ArchiveError::TooLarge { .. })),
            "{result:?}"
        );
    };
    let bench = Bench::new();
    too_large(
        &bench.tar(&[(EntryType::Regular, "big", &"x".repeat(1001))]),
        &bench,
    );
    let bench = Bench::new();
    let one = (EntryType::Regular, "a", "");
    too_large(&bench.tar(&[one, one, one, one]), &bench);

    let bench = Bench::new();
    let path = bench.dir.path().join("a.whl");
    let mut zip = zip::ZipWriter::new(File::create(&path).expect("made"));
    zip.start_file("bomb", zip::write::SimpleFileOptions::default())
        .expect("begun");
    zip.write_all(&vec![0; 1 << 20]).expect("written");
    zip.finish().expect("finished");
    assert!(
        path.metadata().expect("there").len() < 10_000,
        "it is small as it lies there"
    );
    too_large(&path, &bench);
}

#[test]
fn an_archive_cut_short_is_an_error_wherever_it_is_cut() {
    let bench = Bench::new();
    let plain =
        fs::read(bench.tar(&[(EntryType::Regular, "a", &"text ".repeat(100))])).expect("read");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&plain).expect("written");
    let whole = gz.finish().expect("finished");
    for cut in 0..whole.len() {
        let path = bench.dir.path().join("a.tar.gz");
        fs::write(&path, &whole[..cut]).expect("written");
        let result = unpack(&path, &bench.inside());
        assert!(
            matches!(result, Err(ArchiveError::Damaged { .. })),
            "cut at {cut}: {result:?}"
        );
    }
    let path = bench.dir.path().join("a.rar");
    fs::write(&path, b"Rar!").expect("written");
    assert!(matches!(
        unpack(&path, &bench.inside()),
        Err(ArchiveError::UnknownFormat { .. })
    ));
}
