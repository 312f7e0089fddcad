//! The image: what is written is read back; what is damaged is refused, never trusted and never a panic.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use pymode_host::image::{
    Entry, EntryDefect, Image, ImageError, ImageWriteError, ImageWriter, NodeId,
};

const HEADER: usize = 32;
const ENTRY: usize = 24;

fn sample() -> Vec<u8> {
    let mut writer = ImageWriter::new();
    writer.file("lib/python3.13/os.pyc", *b"os").unwrap();
    writer
        .file("lib/python3.13/json/__init__.pyc", *b"json")
        .unwrap();
    writer
        .file("lib/python3.13/json/decoder.pyc", *b"decoder")
        .unwrap();
    writer.file("a", *b"").unwrap();
    writer.directory("empty/deep").unwrap();
    writer.finish().unwrap()
}

fn names(image: &Image<Vec<u8>>, path: &str) -> Vec<String> {
    let node = image.find(path).unwrap();
    image
        .index()
        .children(node)
        .map(|child| String::from_utf8(child.name.to_vec()).unwrap())
        .collect()
}

#[test]
fn what_is_written_is_read_back() {
    let image = Image::open(sample()).unwrap();
    assert_eq!(
        image.bytes(image.find("lib/python3.13/os.pyc").unwrap()),
        Some(&b"os"[..])
    );
    assert_eq!(
        image.bytes(image.find("/lib//python3.13/json/decoder.pyc").unwrap()),
        Some(&b"decoder"[..])
    );
    assert_eq!(image.bytes(image.find("a").unwrap()), Some(&b""[..]));
    assert_eq!(image.bytes(image.find("lib").unwrap()), None);
    assert_eq!(names(&image, ""), ["a", "empty", "lib"]);
    assert_eq!(names(&image, "lib/python3.13"), ["json", "os.pyc"]);
    assert_eq!(names(&image, "empty/deep"), [""; 0]);
    for missing in [
        "b",
        "lib/python3.13/os.py",
        "a/b",
        "..",
        "lib/..",
        "lib/python3.13/os.pyc/x",
        "empty/deep/x",
    ] {
        assert_eq!(image.find(missing), None, "{missing}");
    }
    let json = image.find("lib/python3.13/json").unwrap();
    let parent = image.index().parent(json);
    assert_eq!(Some(parent), image.find("lib/python3.13"));
    assert_eq!(image.index().parent(NodeId::ROOT), NodeId::ROOT);
    assert_eq!(image.index().len(), 10);
}

#[test]
fn the_order_of_adding_does_not_show_and_equal_files_share_their_bytes() {
    let mut other = ImageWriter::new();
    other.directory("empty/deep").unwrap();
    other.directory("empty/deep").unwrap();
    other
        .file("lib/python3.13/json/decoder.pyc", *b"decoder")
        .unwrap();
    other.file("a", *b"").unwrap();
    other
        .file("lib/python3.13/json/__init__.pyc", *b"json")
        .unwrap();
    other.file("lib/python3.13/os.pyc", *b"os").unwrap();
    assert_eq!(other.finish().unwrap(), sample());

    let mut twins = ImageWriter::new();
    twins.file("x", [7; 1000]).unwrap();
    twins.file("y", [7; 1000]).unwrap();
    let image = Image::open(twins.finish().unwrap()).unwrap();
    let place = |name| image.index().entry(image.find(name).unwrap());
    assert!(matches!(place("x"), Entry::File(_)));
    assert_eq!(place("x"), place("y"));
}

#[test]
fn a_thousand_names_are_all_found() {
    let mut writer = ImageWriter::new();
    for number in 0..1000 {
        writer
            .file(&format!("d{}/f{number}", number % 7), number.to_string())
            .unwrap();
    }
    let image = Image::open(writer.finish().unwrap()).unwrap();
    for number in 0..1000 {
        let node = image.find(&format!("d{}/f{number}", number % 7)).unwrap();
        assert_eq!(image.bytes(node), Some(number.to_string().as_bytes()));
    }
    assert_eq!(image.find("d0/f1"), None);
}

#[test]
fn the_writer_refuses_what_no_reader_would_take() {
    let mut writer = ImageWriter::new();
    for bad in [
        "",
        "/a",
        "a/",
        "a//b",
        "a/../b",
        ".",
        "x\0y",
        &"n".repeat(256),
    ] {
        assert!(
            matches!(writer.file(bad, []), Err(ImageWriteError::Path { .. })),
            "{bad:?}"
        );
    }
    writer.file("a/b", []).unwrap();
    assert!(matches!(
        writer.file("a/b", []),
        Err(ImageWriteError::Duplicate { .. })
    ));
    assert!(matches!(
        writer.file("a", []),
        Err(ImageWriteError::FileAndDirectory { .. })
    ));
    assert!(matches!(
        writer.file("a/b/c", []),
        Err(ImageWriteError::FileAndDirectory { .. })
    ));
    assert!(matches!(
        writer.directory("a/b"),
        Err(ImageWriteError::FileAndDirectory { .. })
    ));
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = sample();
    for len in 0..whole.len() {
        let error = Image::open(&whole[..len]).unwrap_err();
        assert!(
            matches!(error, ImageError::NotAnImage | ImageError::Length { .. }),
            "{len}: {error}"
        );
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(matches!(
        Image::open(longer),
        Err(ImageError::Length { .. })
    ));
}

/// Changes `bytes` at `offset` of entry `entry` and tells what the reader thinks of it.
fn spoiled(entry: usize, offset: usize, bytes: &[u8]) -> EntryDefect {
    let mut image = sample();
    let at = HEADER + entry * ENTRY + offset;
    image[at..at + bytes.len()].copy_from_slice(bytes);
    match Image::open(image).unwrap_err() {
        ImageError::Entry { defect, .. } => defect,
        other => panic!("{other}"),
    }
}

#[test]
fn each_lie_in_an_entry_is_named() {
    // Entries of the sample: 0 root, 1 a, 2 empty, 3 lib, 4 empty/deep, 5 lib/python3.13, 6 json, 7 os.pyc, …
    assert_eq!(spoiled(1, 6, &[9, 0]), EntryDefect::Kind { kind: 9 });
    assert_eq!(spoiled(1, 0, &[255; 4]), EntryDefect::NameRange);
    assert_eq!(
        spoiled(1, 4, &[0, 0]),
        EntryDefect::Name { reason: "is empty" }
    );
    assert_eq!(spoiled(1, 16, &[0; 8]), EntryDefect::Data);
    assert_eq!(spoiled(1, 16, &[255; 8]), EntryDefect::Data);
    assert_eq!(spoiled(7, 12, &[255; 4]), EntryDefect::Data);
    assert_eq!(spoiled(0, 6, &[1, 0]), EntryDefect::Root);
    // `empty` lists itself; `empty` lists the whole index.
    assert_eq!(spoiled(2, 16, &[2]), EntryDefect::Children);
    assert_eq!(spoiled(2, 12, &[255; 4]), EntryDefect::Children);
    assert_eq!(spoiled(3, 12, &[0]), EntryDefect::Children);
    assert_eq!(spoiled(5, 8, &[2]), EntryDefect::Parent);
    // `a` takes the name of `empty`.
    assert_eq!(spoiled(1, 0, &[1, 0, 0, 0, 5]), EntryDefect::Order);
}

/// A small generator of repeatable noise (xorshift), so that a failing seed can be run again.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn noise_never_panics_and_what_is_accepted_can_be_walked() {
    let whole = sample();
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for _ in 0..50_000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + noise.next() % 4 {
            let at = (noise.next() % bytes.len() as u64) as usize;
            bytes[at] = noise.next() as u8;
        }
        let Ok(image) = Image::open(bytes) else {
            continue;
        };
        accepted += 1;
        let mut todo = vec![NodeId::ROOT];
        let mut seen = 0;
        while let Some(node) = todo.pop() {
            seen += 1;
            match image.index().entry(node) {
                Entry::Directory => {
                    for child in image.index().children(node) {
                        assert_eq!(image.index().child(node, child.name), Some(child.node));
                        assert_eq!(image.index().parent(child.node), node);
                        todo.push(child.node);
                    }
                }
                Entry::File(_) => assert!(image.bytes(node).is_some()),
            }
        }
        assert_eq!(seen, image.index().len());
    }
    assert!(
        accepted > 100,
        "the noise is too loud: only {accepted} images were accepted"
    );
}
