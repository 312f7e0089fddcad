//! Notes about modules for engines that never have their bytes.

use pymode_dylink::{Inspection, ModuleInfo, NotedModule, Reach, UndefinedIn, notes};

fn module(text: &str) -> (ModuleInfo, Vec<u8>) {
    let wasm = wat::parse_str(text).expect("the text is well-formed");
    let info = ModuleInfo::from_bytes(&wasm).or_else(|_| ModuleInfo::main_from_bytes(&wasm));
    (info.expect("it is a module"), wasm)
}

const MAIN: &str = r#"(module (memory (export "memory") 1)
    (func $kept) (func (export "there")) (func (export "other") (param i32)))"#;
const USER: &str = r#"(module (@dylink.0 (mem-info (memory 0 0) (table 0 0)))
    (import "env" "there" (func $there))
    (import "env" "other" (func $other))
    (import "env" "kept" (func $kept))
    (import "env" "of library" (func $odd))
    (import "env" "library" (func $library))
    (import "host" "given" (func $given))
    (func (export "PyInit_user") (call $other) (call $kept)))"#;
const LIBRARY: &str = r#"(module (@dylink.0 (mem-info (memory 0 0) (table 0 0)))
    (func (export "library")))"#;

fn noted(user: &str, undefined_in: UndefinedIn) -> String {
    let modules = [module(MAIN), module(user), module(LIBRARY)];
    let bytes = |at: usize| Some(modules[at].1.clone());
    let readers = [|| 0, || 1, || 2].map(|at: fn() -> usize| move || bytes(at()));
    let [main, user, library] = [0, 1, 2].map(|at| NotedModule {
        key: ["main", "user", "library"][at],
        info: &modules[at].0,
        bytes: &readers[at],
    });
    notes(&main, &[user, library], undefined_in, &|module, name| {
        (module, name) == ("host", "given")
    })
}

#[test]
fn what_main_defines_is_not_noted_and_what_it_hides_is() {
    let text = noted(USER, UndefinedIn::Main);
    assert_eq!(
        text,
        "= user\ne env other PyInit_user\ne env kept PyInit_user\nn env library\n= main\nd kept\n"
    );
    let user = Inspection::from_notes(&text, "user").expect("it is noted");
    assert_eq!(
        user.reach("env", "kept"),
        Some(&Reach::Export("PyInit_user".into()))
    );
    assert_eq!(user.reach("env", "library"), Some(&Reach::Nowhere));
    assert!(!user.defines("kept"));
    let main = Inspection::from_notes(&text, "main").expect("it is noted");
    assert!(main.defines("kept"));
    assert!(Inspection::from_notes(&text, "library").is_none());
}

#[test]
fn of_a_set_that_is_whole_there_are_no_notes() {
    let whole = r#"(module (@dylink.0 (mem-info (memory 0 0) (table 0 0)) (needed "library"))
        (import "env" "there" (func)) (import "env" "library" (func)))"#;
    assert_eq!(noted(whole, UndefinedIn::Set), "");
    assert_eq!(noted(whole, UndefinedIn::Main), "= user\nn env library\n");
}
