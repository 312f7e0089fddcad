//! `pymode abi`: prints the contract, and checks a file against it.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use pymode_abi::check;

use crate::args::Abi;
use crate::failure::Failure;

pub(crate) fn abi(verb: &Abi) -> Result<ExitCode, Failure> {
    match verb {
        Abi::Show => {
            show(&contract())?;
            Ok(ExitCode::SUCCESS)
        }
        Abi::Check { file } => check(file),
    }
}

/// One symbol per line: `export NAME KIND WHY`, `import MODULE.NAME TYPE`.
fn contract() -> String {
    let mut text = format!("version\t{}\n", pymode_abi::VERSION);
    for import in pymode_abi::IMPORTS {
        let _ = writeln!(
            text,
            "import\t{}.{}\tfunction {}",
            pymode_abi::MODULE,
            import.name,
            import.signature
        );
    }
    for export in pymode_abi::EXPORTS {
        let _ = writeln!(
            text,
            "export\t{}\t{}\t{}",
            export.name, export.kind, export.why
        );
    }
    text
}

fn show(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        // `pymode abi show | head` is not a failure.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn check(file: &Path) -> Result<ExitCode, Failure> {
    if file.extension().is_some_and(|e| e == "whl") {
        return crate::ext::check(&[file.to_path_buf()]);
    }
    let wasm = std::fs::read(file).map_err(|e| Failure::file("read", file, &e))?;
    let violations = match check::main(&wasm).as_slice() {
        [check::Violation::NotMain] => return crate::ext::check(&[file.to_path_buf()]),
        violations => violations.to_vec(),
    };
    for violation in &violations {
        println!("{}: {violation}", file.display());
    }
    if violations.is_empty() {
        println!(
            "{}: conforms to the contract, version {}",
            file.display(),
            pymode_abi::VERSION
        );
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}
