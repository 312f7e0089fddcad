//! Notes of `pymode cc` in a successful build: flags that it dropped, and functions that trap when they are called.

/// Prefix of the compiler driver's notes.
const NOTE: &str = "pymode cc: note: ";

/// Notes about what a module lacks: a flag that means nothing here, and a function that traps when it is called. The driver
/// also reports what it has adapted, which needs no attention.
const LOSSES: &[&str] = &["is left out", "cannot be adapted"];

/// Notes about directories of this machine: nearly every build has some, and they do no harm.
const EVERYDAY: &[&str] = &["`-I ", "`-L ", "`-isystem ", "`-idirafter ", "`-iquote "];

/// The notes in a log, each once, in order.
pub(crate) fn of(log: &str) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for line in log.lines() {
        let Some((_, note)) = line.split_once(NOTE) else {
            continue;
        };
        let is_loss = LOSSES.iter().any(|loss| note.contains(loss));
        let everyday = EVERYDAY.iter().any(|flag| note.starts_with(flag));
        if is_loss && !everyday && !notes.iter().any(|known| known == note) {
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
        let log = "pymode cc: note: `-march=native` is left out: why\nx\n  pymode cc: note: `-march=native` is left out: why\npymode cc: note: `-I /usr/include` is left out: y\npymode cc: note: a.c: adapters call `f`\npymode cc: note: a.c:7: `(reprfunc)g` cannot be adapted to its caller: why\n";
        let trap = "a.c:7: `(reprfunc)g` cannot be adapted to its caller: why";
        assert_eq!(of(log), ["`-march=native` is left out: why", trap]);
    }
}
