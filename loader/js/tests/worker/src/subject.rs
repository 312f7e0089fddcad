//! A process of the suite: a running main module, the files of a case, and a `dlopen` for its guest.

use std::rc::{Rc, Weak};

use js_sys::{Array, DataView, Function, Object, Reflect, Uint8Array, WebAssembly};
use pymode_dylink::{Census, Program, dlfcn, now};
use pymode_dylink_conformance::files::Files;
use pymode_dylink_conformance::{Faulty, Subject, config};
use pymode_dylink_js::{JsProcess, reason};
use wasm_bindgen::prelude::*;

use crate::engine::Failing;
use crate::linking::{Faults, Linking, State, main_module, plan};

/// A function of the host as JavaScript calls it.
type HostFunction = Closure<dyn Fn(u32, u32, u32) -> u32>;

/// A running main module.
pub(crate) struct JsSubject {
    state: Rc<State>,
    memory: WebAssembly::Memory,
    table: Option<WebAssembly::Table>,
    stack_pointer: Option<WebAssembly::Global>,
    /// Functions that the guest may call while this value lives.
    _functions: (HostFunction, HostFunction),
}

impl JsSubject {
    /// The linker's view of it.
    pub(crate) fn linking(&self) -> Linking {
        Linking(Rc::clone(&self.state))
    }

    /// Returns the size of its memory.
    pub(crate) fn pages(&self) -> u32 {
        let buffer: js_sys::ArrayBuffer = self.memory.buffer().unchecked_into();
        buffer.byte_length() >> 16
    }

    fn engine(&self) -> Failing {
        engine(&self.state)
    }

    /// The number that main's function without arguments gives.
    fn ask(&self, name: &str) -> Option<u32> {
        let function: Function = export(&self.state.exports, name)?;
        let number = function.call0(&JsValue::UNDEFINED).ok()?.as_f64()?;
        Some(number as u32)
    }
}

fn engine(state: &Rc<State>) -> Failing {
    Failing(JsProcess(Linking(Rc::clone(state))))
}

fn export<T: JsCast>(exports: &Object, name: &str) -> Option<T> {
    Reflect::get(exports, &name.into()).ok()?.dyn_into().ok()
}

impl Subject for JsSubject {
    const RUNS: bool = true;

    fn new(files: Files) -> Self {
        let (module, info) = main_module(&files);
        let (plan, by_plan) = plan();
        let imports = Object::new();
        let mut functions = None;
        let state = Rc::new_cyclic(|state: &Weak<State>| {
            let (open, sym) = (state.clone(), state.clone());
            let provided = (
                Closure::new(move |path, length, flags| dlopen(&alive(&open), path, length, flags)),
                Closure::new(move |handle, name, length| dlsym(&alive(&sym), handle, name, length)),
            );
            // As the exports of an instance are.
            let test: Object = Object::create(JsValue::NULL.unchecked_ref::<Object>());
            let seven: JsValue = export(&wasm_bindgen::exports().unchecked_into(), "seven")
                .expect("it is exported below");
            for (name, function) in [
                ("dlopen", provided.0.as_ref()),
                ("dlsym", provided.1.as_ref()),
                ("seven", &seven),
            ] {
                Reflect::set(&test, &name.into(), function).expect("an object takes a property");
            }
            Reflect::set(&imports, &"test".into(), &test).expect("an object takes a property");
            functions = Some(provided);
            let instance = WebAssembly::Instance::new(&module, &imports)
                .expect("the main module is instantiated");
            State {
                program: Program::new(config(&files)).into(),
                files,
                exports: instance.exports(),
                info,
                imports,
                plan,
                by_plan,
                faults: Faults::default(),
            }
        });
        Self {
            memory: export(&state.exports, "memory").expect("main has a memory"),
            table: export(&state.exports, "__indirect_function_table"),
            stack_pointer: export(&state.exports, "__stack_pointer"),
            _functions: functions.expect("they were made with the state"),
            state,
        }
    }

    fn open(&mut self, path: Option<&str>, flags: u32) -> u32 {
        now(dlfcn::open(&mut self.engine(), path, flags)).unwrap_or_default()
    }

    fn sym(&mut self, handle: u32, name: &str) -> Option<u32> {
        dlfcn::sym(&mut self.engine(), handle, name)
    }

    fn close(&mut self, handle: u32) -> bool {
        now(dlfcn::close(&mut self.engine(), handle)).unwrap_or_default()
    }

    fn error(&mut self) -> Option<String> {
        self.state.program.borrow_mut().error.take()
    }

    fn call(&mut self, slot: u32, args: &[i32]) -> Result<i32, String> {
        let table = self.table.as_ref().ok_or("main has no table")?;
        let function = table.get_raw(slot).map_err(|thrown| reason(&thrown))?;
        let function: Function = function
            .dyn_into()
            .map_err(|_| format!("slot {slot} is empty"))?;
        let args: Array = args.iter().map(|arg| JsValue::from(*arg)).collect();
        let result = function
            .apply(&JsValue::UNDEFINED, &args)
            .map_err(|thrown| reason(&thrown))?;
        Ok(result.as_f64().unwrap_or_default() as i32)
    }

    fn read(&mut self, address: u32) -> i32 {
        let buffer = self.memory.buffer().unchecked_into();
        DataView::new(&buffer, address as usize, 4).get_int32_endian(0, true)
    }

    fn loaded(&mut self) -> Vec<String> {
        self.state.program.borrow().loaded()
    }
}

impl Faulty for JsSubject {
    type Snapshot = Snapshot;

    fn calls(&self) -> u32 {
        self.state.faults.calls.get()
    }

    fn fail_in(&mut self, calls: Option<u32>) {
        self.state.faults.fail_in.set(calls);
    }

    fn will_fail(&self) -> bool {
        self.state.faults.fail_in.get().is_some()
    }

    fn take_guest_ran(&mut self) -> bool {
        self.state.faults.guest_ran.take()
    }

    fn take_guest_opened(&mut self) -> bool {
        self.state.faults.guest_opened.take()
    }

    fn table_size(&self) -> usize {
        let table = self.table.as_ref();
        table.map_or(0, |table| table.length() as usize)
    }

    fn snapshot(&self) -> Snapshot {
        let mut census = self.census();
        // A table never shrinks: what a failed load grew is free, and used by the next.
        census.free_slots = 0;
        let slots = 0..self.table_size() as u32;
        let functions = slots.filter_map(|slot| {
            let function = self.table.as_ref()?.get_raw(slot).ok()?;
            (!function.is_null()).then_some((slot, function))
        });
        Snapshot {
            census,
            table: functions.collect(),
            allocations: self.ask("live"),
            stack_pointer: self.stack_pointer(),
        }
    }

    fn census(&self) -> Census {
        self.state.program.borrow().census()
    }

    fn stack_pointer(&self) -> u32 {
        let value = self.stack_pointer.as_ref().map(WebAssembly::Global::value);
        value.and_then(|value| value.as_f64()).unwrap_or_default() as i32 as u32
    }
}

/// The state of the linker and of the guest.
#[derive(Debug, PartialEq)]
pub(crate) struct Snapshot {
    census: Census,
    /// Slots that are not null, and the functions in them: of two that are equal there is only one.
    table: Vec<(u32, JsValue)>,
    /// Live allocations, if main counts them.
    allocations: Option<u32>,
    stack_pointer: u32,
}

/// A function with a type, which JavaScript's functions lack: an import with another type fails.
#[unsafe(export_name = "seven")]
extern "C" fn seven() -> u32 {
    7
}

fn alive(state: &Weak<State>) -> Rc<State> {
    state.upgrade().expect("the guest runs")
}

/// `dlopen(path, length, flags)` for the guest's own code.
fn dlopen(state: &Rc<State>, path: u32, length: u32, flags: u32) -> u32 {
    state.faults.guest_opened.set(true);
    let path = text(state, path, length);
    now(dlfcn::open(&mut engine(state), Some(&path), flags)).unwrap_or_default()
}

/// `dlsym(handle, name, length)`: the address, or -1.
fn dlsym(state: &Rc<State>, handle: u32, name: u32, length: u32) -> u32 {
    let name = text(state, name, length);
    dlfcn::sym(&mut engine(state), handle, &name).unwrap_or(u32::MAX)
}

/// Text in main's memory.
fn text(state: &State, start: u32, length: u32) -> String {
    let memory: WebAssembly::Memory = export(&state.exports, "memory").expect("main has a memory");
    let bytes = Uint8Array::new(&memory.buffer()).slice(start, start + length);
    String::from_utf8(bytes.to_vec()).expect("the text is UTF-8")
}
