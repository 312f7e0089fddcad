//! Files of this machine that a guest can see.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::os::unix::fs::symlink;

use common::{Bench, Done, cat, finish, path_data, program_with, read, touch};
use pymode_host::Errno;
use pymode_native::{Error, Exit, Run};

fn failed(errno: Errno) -> Exit {
    Exit::Code(errno.number().into())
}

/// Runs a program with `dir/in` mounted for reading and writing at `/w` and for reading only at `/r`.
fn run(bench: &Bench, wat: &str) -> Done {
    run_with(bench, wat, |_| {})
}

fn run_with(bench: &Bench, wat: &str, prepare: impl FnOnce(&mut Run)) -> Done {
    std::fs::create_dir_all(bench.path("in")).unwrap();
    let mut run = bench.open(wat).unwrap().run();
    run.mount_read_write("/w", &bench.path("in")).unwrap();
    run.mount_read_only("/r", &bench.path("in")).unwrap();
    prepare(&mut run);
    finish(run)
}

#[test]
fn a_mounted_directory_is_read() {
    let bench = Bench::new();
    bench.file("in/deep/file", "content");
    for path in [
        "/w/deep/file",
        "/r/deep/file",
        "/w/../r/deep/../deep/file",
        "//w//deep/./file",
    ] {
        assert_eq!(run(&bench, &cat(path)).out, "content", "{path}");
    }
    assert_eq!(run(&bench, &cat("/w/nothing")).exit, failed(Errno::NoEnt));
    assert_eq!(
        run(&bench, &cat("/w/deep/file/x")).exit,
        failed(Errno::NotDir)
    );
}

#[test]
fn nothing_else_of_this_machine_is_seen() {
    let bench = Bench::new();
    let secret = bench.file("secret", "secret");
    let absolute = secret.to_str().unwrap();
    for path in [
        absolute,
        "/secret",
        "/w/../secret",
        "/w/../../../../../../../../etc/passwd",
        "/etc/passwd",
        "/proc/self/environ",
    ] {
        assert_eq!(run(&bench, &cat(path)).exit, failed(Errno::NoEnt), "{path}");
    }
}

#[test]
fn no_link_leads_out() {
    let bench = Bench::new();
    let secret = bench.file("secret", "secret");
    bench.file("in/file", "inside");
    std::fs::create_dir(bench.path("in/dir")).unwrap();
    symlink("../secret", bench.path("in/up")).unwrap();
    symlink(&secret, bench.path("in/absolute")).unwrap();
    symlink("..", bench.path("in/parent")).unwrap();
    symlink("/", bench.path("in/root")).unwrap();
    symlink("file", bench.path("in/fine")).unwrap();
    symlink("../file", bench.path("in/dir/fine")).unwrap();
    symlink("loop", bench.path("in/loop")).unwrap();
    symlink("/w/far-loop", bench.path("in/far-loop")).unwrap();
    for path in [
        "/w/up",
        "/w/absolute",
        "/w/parent/secret",
        "/w/root/etc/passwd",
        "/w/dir/../parent/secret",
        "/r/up",
    ] {
        let done = run(&bench, &cat(path));
        assert_eq!(
            (&done.exit, &done.out[..]),
            (&failed(Errno::NoEnt), ""),
            "{path}"
        );
    }
    for path in ["/w/fine", "/w/dir/fine", "/w/dir/../fine"] {
        assert_eq!(run(&bench, &cat(path)).out, "inside", "{path}");
    }
    for path in ["/w/loop", "/w/far-loop"] {
        assert_eq!(run(&bench, &cat(path)).exit, failed(Errno::Loop), "{path}");
    }
    // Nothing is made through such a link, either: the guest's own root has no room.
    for path in ["/w/parent/made", "/w/root/made"] {
        assert_eq!(
            run(&bench, &touch(path)).exit,
            failed(Errno::NoSpc),
            "{path}"
        );
    }
    assert!(!bench.path("made").exists());
}

#[test]
fn a_link_that_leaves_a_mount_goes_on_in_the_guests_tree() {
    let bench = Bench::new();
    bench.file("in/file", "inside");
    let dir = bench.path("in").canonicalize().unwrap();
    symlink(dir.join("file"), bench.path("in/self")).unwrap();
    symlink(&dir, bench.path("in/dir")).unwrap();
    symlink("../r/file", bench.path("in/sideways")).unwrap();
    symlink("/r/self", bench.path("in/chain")).unwrap();
    for path in [
        "/w/self",
        "/w/dir/file",
        "/w/dir/dir/dir/self",
        "/w/sideways",
        "/w/chain",
    ] {
        let done = run_with(&bench, &cat(path), |run| {
            run.cwd(&dir).unwrap();
        });
        assert_eq!(done.out, "inside", "{path}");
    }
}

#[test]
fn the_guest_makes_links_to_anywhere_and_follows_none_out() {
    let bench = Bench::new();
    let secret = bench.file("secret", "secret");
    bench.file("in/file", "inside");
    let make = |target: &str| {
        let _ = std::fs::remove_file(bench.path("in/link"));
        let wat = program_with(
            &format!(
                "(data (i32.const 512) \"{target}\") {}",
                path_data("/w/link")
            ),
            &format!(
                "(call $proc_exit (call $path_symlink (i32.const 512) (i32.const {}) (i32.const 3) (i32.const 1024) (i32.load (i32.const 1020))))",
                target.len()
            ),
        );
        let exit = run(&bench, &wat).exit;
        let link = std::fs::read_link(bench.path("in/link"));
        assert_eq!(link.ok().as_deref(), Some(std::path::Path::new(target)));
        exit
    };
    for target in [
        "/etc/passwd",
        secret.to_str().unwrap(),
        "../secret",
        "../../../../../../../../etc/passwd",
        "file/../../secret",
    ] {
        assert_eq!(make(target), Exit::Code(0), "{target}");
        let done = run(&bench, &cat("/w/link"));
        assert!(matches!(done.exit, Exit::Code(1..)), "{target}");
        assert_eq!(done.out, "", "{target}");
        // Not to write there, either.
        assert_ne!(run(&bench, &touch("/w/link")).exit, Exit::Code(0));
    }
    assert_eq!(read(&secret), "secret");
    assert_eq!(make("/w/file"), Exit::Code(0));
    assert_eq!(run(&bench, &cat("/w/link")).out, "inside");
    assert_eq!(run(&bench, &cat("/r/link")).out, "inside");
}

#[test]
fn what_is_mounted_for_writing_is_written_and_the_rest_is_not() {
    let bench = Bench::new();
    assert_eq!(run(&bench, &touch("/w/new")).exit, Exit::Code(0));
    assert_eq!(read(&bench.path("in/new")), "made");
    assert_eq!(run(&bench, &touch("/r/other")).exit, failed(Errno::Rofs));
    assert_eq!(run(&bench, &touch("/r/new")).exit, failed(Errno::Rofs));
    assert_eq!(run(&bench, &touch("/new")).exit, failed(Errno::NoSpc));
    assert_eq!(run(&bench, &touch("/tmp/new")).exit, Exit::Code(0));
    let unlink = |path: &str| {
        program_with(
            &path_data(path),
            "(call $proc_exit (call $path_unlink_file (i32.const 3) (i32.const 1024) (i32.load (i32.const 1020))))",
        )
    };
    assert_eq!(run(&bench, &unlink("/r/new")).exit, failed(Errno::Rofs));
    assert_eq!(run(&bench, &unlink("/r/absent")).exit, failed(Errno::NoEnt));
    assert_eq!(read(&bench.path("in/new")), "made");
    assert_eq!(run(&bench, &unlink("/w/new")).exit, Exit::Code(0));
    assert!(!bench.path("in/new").exists());
}

#[test]
fn the_room_in_tmp_is_limited() {
    let bench = Bench::new();
    let done = run_with(&bench, &touch("/tmp/new"), |run| {
        run.tmp_limit(100);
    });
    assert_eq!(done.exit, failed(Errno::NoSpc));
}

#[test]
fn a_single_file_is_mounted_without_its_neighbours() {
    let bench = Bench::new();
    let script = bench.file("scripts/a.py", "print(1)");
    bench.file("scripts/b.py", "secret");
    let with_script = |wat: &str| {
        run_with(&bench, wat, |run| {
            run.mount_read_only(&script, &script).unwrap();
        })
    };
    assert_eq!(with_script(&cat(script.to_str().unwrap())).out, "print(1)");
    let neighbour = bench.path("scripts/b.py");
    assert_eq!(
        with_script(&cat(neighbour.to_str().unwrap())).exit,
        failed(Errno::NoEnt)
    );
    let below = format!("{}/../b.py", script.to_str().unwrap());
    assert_ne!(with_script(&cat(&below)).out, "secret");
    assert_eq!(
        with_script(&touch(script.to_str().unwrap())).exit,
        failed(Errno::Rofs)
    );
}

#[test]
fn the_current_directory_is_at_its_own_place() {
    let bench = Bench::new();
    bench.file("in/file", "content");
    let dir = bench.path("in").canonicalize().unwrap();
    let done = run_with(&bench, &cat(dir.join("file").to_str().unwrap()), |run| {
        run.cwd(&bench.path("in")).unwrap();
    });
    assert_eq!(done.out, "content");
}

#[test]
fn devices_and_pipes_are_not_the_guests() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("in")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bench.path("in/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert_eq!(
        run(&bench, &cat("/w/pipe")).exit,
        failed(Errno::Acces),
        "and it does not wait for a writer"
    );
}

#[test]
fn bad_mounts_are_refused() {
    let bench = Bench::new();
    let mut run = bench.program("").run();
    for at in ["", "relative", "/", "//", "/a/../b"] {
        assert!(
            matches!(
                run.mount_read_only(at, bench.dir.path()),
                Err(Error::MountPoint { .. })
            ),
            "{at:?}"
        );
    }
    let error = run
        .mount_read_only("/x", &bench.path("absent"))
        .err()
        .unwrap();
    assert!(
        matches!(error, Error::File { .. }) && error.to_string().contains("absent"),
        "{error}"
    );
}
