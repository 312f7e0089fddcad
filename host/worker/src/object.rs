//! The Durable Object, and the Worker before it.

use std::cell::RefCell;
use std::rc::Rc;

use worker::{
    Context, DurableObject, Env, Request, Response, ResponseBody, Result, State, durable_object,
    event,
};

use crate::body::Body;
use crate::bundle::{self, Bundle};
use crate::persistent::Persistent;
use crate::run::{self, Terminal};
use crate::serve;
use crate::stream::{Frames, Pipe};
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
#[durable_object(fetch)]
pub struct PythonObject {
    _state: State,
    env: Env,
    persistent: Rc<Persistent>,
    /// Standard input of the program that runs.
    input: RefCell<Pipe>,
}

impl DurableObject for PythonObject {
    fn new(state: State, env: Env) -> Self {
        PythonObject {
            _state: state,
            env,
            persistent: Rc::default(),
            input: RefCell::default(),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let mode = bundle::with(Bundle::mode)?;
        match (mode.as_str(), request.path().as_str()) {
            ("request", _) => serve::once(request, &self.env).await,
            ("persistent", _) => Rc::clone(&self.persistent).answer(request, &self.env).await,
            // Only for whoever serves it on their own machine: it runs what it is sent.
            ("run", "/run") => self.run(request.bytes().await?),
            ("run", "/stdin") => self.stdin(&request.bytes().await?),
            _ => Response::error("Not found", 404),
        }
    }
}

impl PythonObject {
    /// Starts a program; the answer's body lasts as long as it runs.
    fn run(&self, request: Vec<u8>) -> Result<Response> {
        let (body, stream) = Body::new()?;
        let input = Pipe::default();
        self.input.replace(input.clone());
        let terminal = Terminal {
            frames: Frames::new(body),
            input,
        };
        wasm_bindgen_futures::spawn_local(run::run(request, terminal));
        Response::from_body(ResponseBody::Stream(stream))
    }

    /// Gives the program more input; none is its end.
    fn stdin(&self, mut message: &[u8]) -> Result<Response> {
        let input = self.input.borrow();
        while let Ok(Some((kind, content))) = take(&mut message) {
            match (kind, content) {
                (Kind::Stdin, []) => input.end(),
                (Kind::Stdin, bytes) => input.give(bytes),
                _ => {}
            }
        }
        Response::empty()
    }
}
