//! What `pymode cc` left out of a build that went well, and whoever wrote it may want to know.

/// How the compiler driver begins a note.
const NOTE: &str = "pymode cc: note: ";

/// What it says of a flag that means nothing here. It also tells what it mended; that is nobody's loss.
const LEFT_OUT: &str = "is left out";

/// Notes about directories of this machine: nearly every build has some, and loses nothing.
const EVERYDAY: &[&str] = &["`-I ", "`-L ", "`-isystem ", "`-idirafter ", "`-iquote "];

/// The notes in a log, each once, in order.
pub(crate) fn of(log: &str) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for line in log.lines() {
        let Some((_, note)) = line.split_once(NOTE) else {
            continue;
        };
        let everyday = EVERYDAY.iter().any(|flag| note.starts_with(flag));
        if note.contains(LEFT_OUT) && !everyday && !notes.iter().any(|known| known == note) {
            notes.push(note.to_owned());
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn each_note_is_told_once() {
        let log = "pymode cc: note: `-march=native` is left out: why\nx\n  pymode cc: note: `-march=native` is left out: why\npymode cc: note: `-I /usr/include` is left out: y\npymode cc: note: an adapter\n";
        assert_eq!(of(log), ["`-march=native` is left out: why"]);
    }
}
