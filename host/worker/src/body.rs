//! Streamed bodies of responses.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use worker::web_sys::ReadableStream;

/// Maximum number of unsent bytes. A writer pauses at the limit.
const BACKLOG: u32 = 1 << 20;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = ReadableStream)]
    type Readable;

    #[wasm_bindgen(constructor, js_class = ReadableStream, catch)]
    fn new(source: &Object, strategy: &JsValue) -> Result<Readable, JsValue>;

    #[wasm_bindgen(js_name = ByteLengthQueuingStrategy)]
    type Strategy;

    #[wasm_bindgen(constructor, js_class = ByteLengthQueuingStrategy)]
    fn new(options: &Object) -> Strategy;

    type Controller;

    #[wasm_bindgen(method, catch)]
    fn enqueue(this: &Controller, chunk: &Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn close(this: &Controller) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    fn error(this: &Controller, reason: &JsValue);

    #[wasm_bindgen(method, getter, js_name = desiredSize)]
    fn desired_size(this: &Controller) -> Option<f64>;
}

/// The writing end of a body. Clones share it.
#[derive(Clone)]
pub(crate) struct BodyWriter(Rc<Writer>);

struct Writer {
    controller: Controller,
    /// Resumes a writer that waits until some of the backlog is sent.
    drained: Rc<RefCell<Option<Function>>>,
    /// The reader is gone.
    abandoned: Rc<Cell<bool>>,
}

impl BodyWriter {
    /// Creates a body: the writing end, and the stream.
    pub(crate) fn new() -> Result<(BodyWriter, ReadableStream), JsValue> {
        let controller = Rc::new(RefCell::new(None));
        let drained: Rc<RefCell<Option<Function>>> = Rc::default();

        let slot = Rc::clone(&controller);
        let start =
            Closure::once(move |controller: Controller| slot.replace(Some(controller)).is_none());
        let waiting = Rc::clone(&drained);
        let wake = move || {
            if let Some(wake) = waiting.take() {
                // It only settles a promise.
                let _ = wake.call0(&JsValue::UNDEFINED);
            }
        };
        let abandoned: Rc<Cell<bool>> = Rc::default();
        let (left, wake_writer) = (Rc::clone(&abandoned), wake.clone());
        let pull = Closure::<dyn Fn()>::new(wake);
        let cancel = Closure::<dyn Fn()>::new(move || {
            left.set(true);
            wake_writer();
        });
        let source = Object::new();
        Reflect::set(&source, &"start".into(), start.as_ref())?;
        // The stream owns these two: they are collected with it.
        Reflect::set(&source, &"pull".into(), &pull.into_js_value())?;
        Reflect::set(&source, &"cancel".into(), &cancel.into_js_value())?;
        let options = Object::new();
        Reflect::set(&options, &"highWaterMark".into(), &BACKLOG.into())?;
        let stream = Readable::new(&source, &Strategy::new(&options))?;
        let controller = controller
            .take()
            .ok_or_else(|| JsError::new("the stream did not start"))?;
        Ok((
            BodyWriter(Rc::new(Writer {
                controller,
                drained,
                abandoned,
            })),
            JsValue::from(stream).unchecked_into(),
        ))
    }

    /// Returns `true` if the reader is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned.get()
    }

    /// Appends to the body. Has no effect if the reader is gone.
    pub(crate) fn put(&self, bytes: &[u8]) {
        let _ = self.0.controller.enqueue(&Uint8Array::from(bytes));
    }

    /// Completes the body.
    pub(crate) fn end(&self) {
        // It fails if the reader is gone.
        let _ = self.0.controller.close();
    }

    /// Ends the body with an error.
    pub(crate) fn fail(&self, reason: &str) {
        self.0.controller.error(&JsError::new(reason).into());
    }

    /// Returns a promise to await before more is written, if the backlog is full.
    pub(crate) fn pause(&self) -> Option<Promise> {
        if self.is_abandoned() {
            return None;
        }
        let room = self.0.controller.desired_size()?;
        (room <= 0.0).then(|| {
            Promise::new(&mut |resolve, _reject| *self.0.drained.borrow_mut() = Some(resolve))
        })
    }
}
