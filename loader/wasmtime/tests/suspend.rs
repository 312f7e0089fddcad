//! A store with asynchronous host functions: a constructor that waits suspends the whole `dlopen`.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use pymode_dylink::{Config, FileId, dlfcn};
use pymode_dylink_wasmtime::{Linkage, MainModule, StoreData, WasmtimeEngine, engine_config};
use wasmtime::{Caller, Engine, Linker, Module, Store};

struct State {
    linkage: Linkage<State>,
    waited: u32,
}

const SIDE: &str = r#"(module
  (@dylink.0 (mem-info (memory 4 2) (table 0 0)))
  (import "env" "memory" (memory 0))
  (import "env" "__memory_base" (global $mb i32))
  (import "host" "wait" (func $wait (param i32) (result i32)))
  (func (export "__wasm_call_ctors")
    (i32.store (global.get $mb) (call $wait (i32.const 20))))
  (func (export "get") (result i32) (i32.load (global.get $mb))))"#;

const MAIN: &str = r#"(module
  (import "host" "open" (func $open (result i32)))
  (import "host" "sym" (func $sym (param i32) (result i32)))
  (memory (export "memory") 1)
  (table (export "__indirect_function_table") 1 funcref)
  (global (export "__stack_pointer") (mut i32) (i32.const 1024))
  (func (export "malloc") (param i32) (result i32) (i32.const 4096))
  (func (export "free") (param i32))
  (func (export "run") (result i32)
    (call_indirect (result i32) (call $sym (call $open)))))"#;

impl StoreData for State {
    fn linkage(&mut self) -> &mut Linkage<Self> {
        &mut self.linkage
    }

    fn identify(&mut self, path: &str) -> Option<FileId> {
        (path == "/a.wasm").then_some(FileId { volume: 0, file: 1 })
    }

    fn read(&mut self, _path: &str) -> Result<Vec<u8>, String> {
        wat::parse_str(SIDE).map_err(|error| error.to_string())
    }
}

/// Gives way once.
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match std::mem::replace(&mut self.0, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

#[test]
fn a_constructor_may_wait() {
    let engine = Engine::new(&engine_config()).expect("an engine");
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap_async(
            "host",
            "wait",
            |mut caller: Caller<'_, State>, (number,): (i32,)| {
                Box::new(async move {
                    Yield(false).await;
                    caller.data_mut().waited += 1;
                    number + 1
                })
            },
        )
        .and_then(|linker| {
            linker.func_wrap_async("host", "open", |mut caller: Caller<'_, State>, (): ()| {
                Box::new(async move {
                    let mut process = WasmtimeEngine::new(&mut caller);
                    let opened = dlfcn::open(&mut process, Some("/a.wasm"), 2).await;
                    opened.unwrap_or_default()
                })
            })
        })
        .and_then(|linker| {
            linker.func_wrap(
                "host",
                "sym",
                |mut caller: Caller<'_, State>, handle: u32| {
                    let found = dlfcn::sym(&mut WasmtimeEngine::new(&mut caller), handle, "get");
                    found.unwrap_or(0)
                },
            )
        })
        .expect("three host functions");
    let linker = Arc::new(linker);
    let main = wat::parse_str(MAIN).expect("main is well-formed");
    let module = Module::new(&engine, &main).expect("main compiles");
    let mut linkage = Linkage::new(Config::default(), None);
    linkage.set_suspends(true);
    let mut store = Store::new(&engine, State { linkage, waited: 0 });

    let polls = block_on(async {
        let instance = linker
            .instantiate_async(&mut store, &module)
            .await
            .expect("an instance");
        let run = instance
            .get_typed_func::<(), i32>(&mut store, "run")
            .expect("main exports run");
        store.data_mut().linkage.set_main(MainModule {
            name: "main".into(),
            instance,
            bytes: Box::new(move || Ok(main.clone())),
            names: None,
            imports: linker,
        });
        assert_eq!(run.call_async(&mut store, ()).await.ok(), Some(21));
    });
    assert_eq!(store.data().waited, 1);
    assert!(polls > 1, "the host did other things meanwhile");
    let error = store.data_mut().linkage.program().error.take();
    assert_eq!(error, None);
}

/// Runs a future, and counts how often it was polled.
fn block_on(future: impl Future<Output = ()>) -> u32 {
    let mut future = pin!(future);
    let mut polls = 1;
    let mut context = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {
        polls += 1;
    }
    polls
}
