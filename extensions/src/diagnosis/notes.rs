//! Notes of `pymode cc` about flags that it dropped in a successful build.

/// Prefix of the compiler driver's notes.
const NOTE: &str = "pymode cc: note: ";

/// Text in notes about dropped flags. Other notes report a repair, which needs no attention.
const LEFT_OUT: &str = "is left out";

/// Notes about directories of this machine: nearly every build has some, and they do no harm.
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
    fn each_note_is_shown_once() {
        let log = "pymode cc: note: `-march=native` is left out: why\nx\n  pymode cc: note: `-march=native` is left out: why\npymode cc: note: `-I /usr/include` is left out: y\npymode cc: note: an adapter\n";
        assert_eq!(of(log), ["`-march=native` is left out: why"]);
    }
}
