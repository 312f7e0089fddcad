//! The Durable Object, and the Worker before it.

use std::cell::RefCell;

use worker::{
    Context, DurableObject, Env, Request, Response, ResponseBody, Result, State, durable_object,
    event,
};

use crate::run;
use crate::stream::{Channel, Frames, Pipe};
use crate::wire::{Kind, take};

/// The binding under which the Worker finds its objects.
const BINDING: &str = "PYTHON";

/// Every request goes to the object.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    env.durable_object(BINDING)?
        .get_by_name("main")?
        .fetch_with_request(request)
        .await
}

/// Python in a Durable Object.
#[durable_object]
pub struct PythonObject {
    _state: State,
    _env: Env,
    /// Standard input of the program that runs.
    input: RefCell<Pipe>,
}

impl DurableObject for PythonObject {
    fn new(state: State, env: Env) -> Self {
        PythonObject {
            _state: state,
            _env: env,
            input: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match request.path().as_str() {
            "/run" => self.run(request.bytes().await?),
            "/stdin" => self.stdin(&request.bytes().await?),
            _ => Response::error("Not found", 404),
        }
    }
}

impl PythonObject {
    /// Starts a program; the answer's body lasts as long as it runs.
    fn run(&self, request: Vec<u8>) -> Result<Response> {
        let (frames, body) = Frames::new()?;
        let pipe = Pipe::default();
        self.input.replace(pipe.clone());
        wasm_bindgen_futures::spawn_local(run::run(request, Channel { frames, pipe }));
        Response::from_body(ResponseBody::Stream(body))
    }

    /// Gives the program more input.
    fn stdin(&self, mut message: &[u8]) -> Result<Response> {
        while let Ok(Some((kind, content))) = take(&mut message) {
            if kind == Kind::Stdin {
                self.input.borrow().give(content);
            }
        }
        Response::empty()
    }
}
