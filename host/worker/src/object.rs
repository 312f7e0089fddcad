//! The Durable Object, and the Worker in front of it.

use std::cell::RefCell;

use pymode_bundle::WorkerMode;
use pymode_bundle::names::BINDING;
use pymode_bundle::wire::{self, FrameKind, take};
use worker::{
    Context, DurableObject, Env, Request, Response, ResponseBody, Result, State, durable_object,
    event,
};

use crate::body::BodyWriter;
use crate::bundle;
use crate::pipe::Pipe;
use crate::run::{self, Terminal};
use crate::serve::{Fresh, Persistent};
use crate::stream::Frames;
use crate::wakeup::Wakeup;

/// Forwards every request to the object.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    env.durable_object(BINDING)?
        .get_by_name("main")?
        .fetch_with_request(request)
        .await
}

/// Python in a Durable Object.
#[durable_object(fetch)]
pub struct PythonObject {
    _state: State,
    env: Env,
    fresh: Fresh,
    persistent: Persistent,
    /// Standard input of the running program.
    input: RefCell<Option<Pipe>>,
}

impl DurableObject for PythonObject {
    fn new(state: State, env: Env) -> Self {
        PythonObject {
            _state: state,
            env,
            fresh: Fresh::default(),
            persistent: Persistent::default(),
            input: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match (bundle::settings()?.mode, request.path().as_str()) {
            (WorkerMode::Request, _) => self.fresh.answer(request, &self.env).await,
            (WorkerMode::Persistent, _) => self.persistent.answer(request, &self.env).await,
            // Only for local use: it runs any program that it receives.
            (WorkerMode::Run, wire::RUN) => self.run(request.bytes().await?),
            (WorkerMode::Run, wire::STDIN) => self.stdin(&request.bytes().await?),
            (WorkerMode::Run, _) => Response::error("Not found", 404),
        }
    }
}

impl PythonObject {
    /// Starts a program; the answer's body lasts as long as it runs.
    fn run(&self, request: Vec<u8>) -> Result<Response> {
        let (body, stream) = BodyWriter::new()?;
        let wakeup = Wakeup::default();
        let input = Pipe::new(&wakeup);
        self.input.replace(Some(input.clone()));
        let terminal = Terminal {
            frames: Frames::new(body),
            input,
            wakeup,
        };
        wasm_bindgen_futures::spawn_local(run::run(request, terminal));
        Response::from_body(ResponseBody::Stream(stream))
    }

    /// Passes input to the program. Empty input ends it.
    fn stdin(&self, mut message: &[u8]) -> Result<Response> {
        let input = self.input.borrow();
        let input = input.as_ref().ok_or("no program runs")?;
        while let Ok(Some((kind, content))) = take(&mut message) {
            match (kind, content) {
                (FrameKind::Stdin, []) => input.end(),
                (FrameKind::Stdin, bytes) => input.push(bytes),
                _ => {}
            }
        }
        Response::empty()
    }
}
