//! Groups of side modules made of decisions.

use std::fmt::Write;

use pymode_dylink_conformance::case::cases_folder;
use pymode_dylink_conformance::files::{Files, MAIN};

use crate::bytes::Decisions;

/// Functions are `f0` to `f4`, data `d0` to `d2`: few names, so that modules meet.
pub(crate) const FUNCTIONS: usize = 5;
pub(crate) const DATA: usize = 3;

/// Flags of `dlopen`.
pub(crate) const NOW: u32 = 2;
pub(crate) const GLOBAL: u32 = 256;
pub(crate) const NOLOAD: u32 = 4;

/// A generated module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Side {
    pub(crate) needs: Vec<usize>,
    /// Functions that it defines. A weak one it imports as well.
    pub(crate) defines: [Defined; FUNCTIONS],
    /// Functions that it calls.
    pub(crate) calls: [Wanted; FUNCTIONS],
    /// Functions whose address it takes.
    pub(crate) points: [Wanted; FUNCTIONS],
    /// Data that it defines.
    pub(crate) data: [Datum; DATA],
    /// Data whose address it takes.
    pub(crate) reads: [Wanted; DATA],
    /// Its constructor traps.
    pub(crate) traps: bool,
    /// Use of the exception tag.
    pub(crate) tag: Tag,
    /// It has a start function, which looks at what its addresses are.
    pub(crate) starts: bool,
    /// Its constructor opens a module.
    pub(crate) opens: Option<Opens>,
}

/// The location of a datum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Datum {
    #[default]
    Not,
    /// In the module's memory.
    Plain,
    /// Behind the `__tls_base` that the module exports: only its instance knows where.
    ThreadLocal,
}

/// Calls of a constructor: opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opens {
    pub(crate) module: usize,
    pub(crate) global: bool,
    /// It closes it at once.
    pub(crate) closes: bool,
}

/// `__cpp_exception`, as compilers leave it in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tag {
    #[default]
    Not,
    Imported,
    /// Imported and exported: the one that everybody shares takes its place.
    Weak,
    Defined,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Defined {
    #[default]
    Not,
    Strong,
    Weak,
    /// With another type than everybody expects.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Wanted {
    #[default]
    Not,
    Strong,
    Weak,
}

pub(crate) fn sides(decisions: &mut Decisions<'_>) -> Vec<Side> {
    let count = 1 + decisions.below(5);
    let mut sides: Vec<Side> = (0..count).map(|_| side(decisions, count)).collect();
    // What a constructor has opened may be bound to a module of its own group. If that fails then, there are two of it: one
    // that is kept for what is bound to it, and the next one. Of that the model knows nothing.
    if sides.iter().any(|side| side.opens.is_some()) {
        for side in &mut sides {
            side.traps = false;
        }
    }
    sides
}

fn side(decisions: &mut Decisions<'_>, count: usize) -> Side {
    let mut side = Side::default();
    for other in 0..count {
        if decisions.one_in(3) {
            side.needs.push(other);
        }
    }
    for at in 0..FUNCTIONS {
        side.defines[at] = match decisions.byte() {
            0..=150 => Defined::Not,
            151..=220 => Defined::Strong,
            221..=250 => Defined::Weak,
            _ => Defined::Other,
        };
        // An import and an export of one name in one module is a weak definition.
        if side.defines[at] == Defined::Not {
            side.calls[at] = wanted(decisions);
        }
        side.points[at] = wanted(decisions);
    }
    for at in 0..DATA {
        side.data[at] = match decisions.byte() {
            0..=150 => Datum::Not,
            151..=220 => Datum::Plain,
            _ => Datum::ThreadLocal,
        };
        side.reads[at] = wanted(decisions);
    }
    // That a symbol may be missing is said of its name, whatever it is wanted as.
    for at in 0..FUNCTIONS {
        if side.calls[at] == Wanted::Weak || side.points[at] == Wanted::Weak {
            for wanted in [&mut side.calls[at], &mut side.points[at]] {
                if *wanted == Wanted::Strong {
                    *wanted = Wanted::Weak;
                }
            }
        }
    }
    side.traps = decisions.one_in(30);
    side.tag = match decisions.byte() {
        0..=150 => Tag::Not,
        151..=200 => Tag::Imported,
        201..=235 => Tag::Weak,
        _ => Tag::Defined,
    };
    side.starts = decisions.one_in(3);
    if decisions.one_in(5) {
        side.opens = Some(Opens {
            module: decisions.below(count),
            global: decisions.one_in(3),
            closes: decisions.one_in(2),
        });
    }
    side
}

fn wanted(decisions: &mut Decisions<'_>) -> Wanted {
    match decisions.byte() {
        0..=170 => Wanted::Not,
        171..=240 => Wanted::Weak,
        _ => Wanted::Strong,
    }
}

/// Returns the value of a module's function.
pub(crate) fn value(module: usize, function: usize) -> i32 {
    (100 * (module + 1) + function) as i32
}

pub(crate) fn path(module: usize) -> String {
    format!("/m{module}.wasm")
}

/// The modules as files, beside the main module of the cases.
pub(crate) fn files(sides: &[Side]) -> Files {
    thread_local! {
        static MAIN_BYTES: Vec<u8> = wat::parse_file(cases_folder().join("main.wat")).expect("main is well-formed");
    }
    let mut files = Files::default();
    files.add(MAIN, MAIN_BYTES.with(Clone::clone));
    for (at, side) in sides.iter().enumerate() {
        let text = text(at, side);
        let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        files.add(&path(at), bytes);
    }
    files
}

/// Writes to a string cannot fail.
macro_rules! line {
    ($out:expr, $($part:tt)*) => { let _ = writeln!($out, $($part)*); };
}

fn text(at: usize, side: &Side) -> String {
    let mut out = String::from("(module (@dylink.0 (mem-info (memory 64 4) (table 5 0))\n");
    if !side.needs.is_empty() {
        let needs: Vec<String> = side
            .needs
            .iter()
            .map(|need| format!("\"m{need}.wasm\""))
            .collect();
        line!(
            out,
            "(needed {}) (runtime-path \"$ORIGIN\")",
            needs.join(" ")
        );
    }
    let symbols = (0..FUNCTIONS)
        .map(|f| (format!("f{f}"), side.calls[f], side.points[f]))
        .chain((0..DATA).map(|d| (format!("d{d}"), side.reads[d], Wanted::Not)));
    for (name, one, other) in symbols {
        if one == Wanted::Weak || other == Wanted::Weak {
            line!(
                out,
                "(import-info \"env\" \"{name}\" binding-weak undefined)"
            );
        }
    }
    for d in 0..DATA {
        if side.data[d] == Datum::ThreadLocal {
            line!(out, "(export-info \"d{d}\" tls)");
        }
    }
    out.push_str(
        ") (@custom \"test.abi\" \"\\07\")
        (import \"env\" \"memory\" (memory 0))
        (import \"env\" \"__indirect_function_table\" (table 0 funcref))
        (import \"env\" \"__memory_base\" (global $mb i32))
        (import \"env\" \"__table_base\" (global $tb i32))\n",
    );
    if side.opens.is_some() {
        out.push_str(
            "(import \"test\" \"dlopen\" (func $dlopen (param i32 i32 i32) (result i32)))
            (import \"test\" \"dlclose\" (func $dlclose (param i32) (result i32)))\n",
        );
    }
    for f in 0..FUNCTIONS {
        if side.calls[f] != Wanted::Not || side.defines[f] == Defined::Weak {
            line!(
                out,
                "(import \"env\" \"f{f}\" (func $import{f} (result i32)))"
            );
        }
        if side.points[f] != Wanted::Not {
            line!(
                out,
                "(import \"GOT.func\" \"f{f}\" (global $point{f} (mut i32)))"
            );
        }
    }
    if matches!(side.tag, Tag::Imported | Tag::Weak) {
        line!(
            out,
            "(import \"env\" \"__cpp_exception\" (tag $tag (param i32)))"
        );
    }
    for d in 0..DATA {
        if side.reads[d] != Wanted::Not {
            line!(
                out,
                "(import \"GOT.mem\" \"d{d}\" (global $read{d} (mut i32)))"
            );
        }
    }
    tag(&mut out, at, side.tag);
    if side.starts {
        start(&mut out, at, side);
    }
    for f in 0..FUNCTIONS {
        match side.defines[f] {
            Defined::Not => {}
            Defined::Other => {
                line!(
                    out,
                    "(func $f{f} (export \"f{f}\") (param i64) (result i32) (i32.const 0))"
                );
            }
            Defined::Strong | Defined::Weak => {
                let value = value(at, f);
                line!(
                    out,
                    "(func $f{f} (export \"f{f}\") (result i32) (i32.const {value}))"
                );
                // Every second one has a slot of its own module.
                if (at + f).is_multiple_of(2) {
                    line!(
                        out,
                        "(elem (i32.add (global.get $tb) (i32.const {f})) func $f{f})"
                    );
                }
            }
        }
        if side.calls[f] != Wanted::Not || side.defines[f] == Defined::Weak {
            line!(
                out,
                "(func (export \"m{at}_call{f}\") (result i32) (call $import{f}))"
            );
        }
        if side.points[f] != Wanted::Not {
            line!(
                out,
                "(func (export \"m{at}_point{f}\") (result i32) (global.get $point{f}))"
            );
        }
    }
    if side.data.contains(&Datum::ThreadLocal) {
        out.push_str(
            "(global $tls (export \"__tls_base\") (mut i32) (i32.add (global.get $mb) (i32.const 16)))\n",
        );
    }
    for d in 0..DATA {
        let offset = 4 * d;
        let base = match side.data[d] {
            Datum::Not => None,
            Datum::Plain => Some("mb"),
            Datum::ThreadLocal => Some("tls"),
        };
        if let Some(base) = base {
            line!(out, "(global (export \"d{d}\") i32 (i32.const {offset}))");
            line!(
                out,
                "(func (export \"m{at}_own{d}\") (result i32) (i32.add (global.get ${base}) (i32.const {offset})))"
            );
        }
        if side.reads[d] != Wanted::Not {
            line!(
                out,
                "(func (export \"m{at}_read{d}\") (result i32) (global.get $read{d}))"
            );
        }
    }
    // Memory is zeroed whatever was there before; then it is used.
    line!(
        out,
        "(func (export \"__wasm_call_ctors\") (local $at i32)
            (loop $next
                (if (i32.load8_u (i32.add (global.get $mb) (local.get $at))) (then unreachable))
                (i32.store8 (i32.add (global.get $mb) (local.get $at)) (i32.const 255))
                (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 32))))
            {})",
        construct(side)
    );
    if let Some(opens) = side.opens {
        let path = path(opens.module);
        line!(
            out,
            "(data (i32.add (global.get $mb) (i32.const 32)) \"{path}\")"
        );
    }
    out.push(')');
    out
}

/// Returns the last instructions of a constructor.
fn construct(side: &Side) -> String {
    if side.traps {
        return String::from("unreachable");
    }
    let Some(opens) = side.opens else {
        return String::new();
    };
    let length = path(opens.module).len();
    let flags = NOW | if opens.global { GLOBAL } else { 0 };
    let open = format!(
        "(call $dlopen (i32.add (global.get $mb) (i32.const 32)) (i32.const {length}) (i32.const {flags}))"
    );
    match opens.closes {
        // 0 is no handle, and is refused.
        true => format!("(drop (call $dlclose {open}))"),
        false => format!("(drop {open})"),
    }
}

/// `m_throw` throws its argument; `m_catch` calls a slot, and gives what is thrown with the module's tag, or -1 for any other.
fn tag(out: &mut String, at: usize, tag: Tag) {
    match tag {
        Tag::Not => return,
        Tag::Imported => {}
        Tag::Weak => {
            line!(out, "(tag (export \"__cpp_exception\") (param i32))");
        }
        Tag::Defined => {
            line!(out, "(tag $tag (export \"__cpp_exception\") (param i32))");
        }
    }
    line!(
        out,
        "(func (export \"m{at}_throw\") (param i32) (throw $tag (local.get 0)))
        (func (export \"m{at}_catch\") (param $slot i32) (param $thrown i32) (result i32)
            (block $mine (result i32)
                (block $other
                    (try_table (catch $tag $mine) (catch_all $other)
                        (call_indirect (param i32) (local.get $thrown) (local.get $slot))))
                (i32.const -1)))"
    );
}

/// A start function, which keeps each address that its module has asked for: `m_started` counts it, `m_early` gives them.
fn start(out: &mut String, at: usize, side: &Side) {
    line!(
        out,
        "(global $started (mut i32) (i32.const 0))
        (func (export \"m{at}_started\") (result i32) (global.get $started))"
    );
    let mut body =
        String::from("(global.set $started (i32.add (global.get $started) (i32.const 1)))");
    let points = (0..FUNCTIONS).filter(|f| side.points[*f] != Wanted::Not);
    let reads = (0..DATA).filter(|d| side.reads[*d] != Wanted::Not);
    let addresses = points
        .map(|f| format!("point{f}"))
        .chain(reads.map(|d| format!("read{d}")));
    for name in addresses {
        line!(
            out,
            "(global $early_{name} (mut i32) (i32.const -1))
            (func (export \"m{at}_early_{name}\") (result i32) (global.get $early_{name}))"
        );
        line!(body, "(global.set $early_{name} (global.get ${name}))");
    }
    line!(out, "(func $start {body})\n(start $start)");
}
