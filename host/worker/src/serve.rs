//! Requests, answered by Python.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pymode_bundle::answer::AnswerError;
use pymode_bundle::paths::in_the_project;
use pymode_host::tasks::Queue;
use wasm_bindgen_futures::JsFuture;
use worker::{Env, Request, Response, Result};

use crate::boot::Entered;
use crate::bundle;
use crate::http::{GuestRequest, PendingResponse};
use crate::interpreter::{Interpreter, InterpreterState};
use crate::wakeup::Wakeup;

/// Maximum number of running interpreters in an object: they share the isolate's memory.
const AT_ONCE: usize = 4;

/// Idle time before an interpreter is prepared, in nanoseconds.
const PAUSE: u64 = 10_000_000;

/// Answers each request with a fresh interpreter. While the object is idle, it prepares the next one.
pub(crate) struct Fresh {
    queue: Queue,
    spare: Rc<Spare>,
}

/// An interpreter that has not seen a request.
#[derive(Default)]
struct Spare {
    ready: RefCell<Option<Interpreter>>,
    is_on_its_way: Cell<bool>,
}

impl Default for Fresh {
    fn default() -> Fresh {
        Fresh {
            queue: Queue::new(AT_ONCE),
            spare: Rc::default(),
        }
    }
}

impl Fresh {
    pub(crate) async fn answer(&self, mut request: Request, env: &Env) -> Result<Response> {
        let turn = self.queue.turn().await;
        let (asked, pending) = GuestRequest::new(&mut request, env)?;
        let ready = self.spare.ready.take();
        let interpreter = match ready {
            Some(ready) => ready,
            None => Interpreter::boot()?,
        };
        let (queue, spare) = (self.queue.clone(), Rc::clone(&self.spare));
        wasm_bindgen_futures::spawn_local(async move {
            interpreter.serve(asked).await;
            drop(interpreter);
            drop(turn);
            // The answer is sent before the next interpreter starts.
            if let Ok(pause) = Wakeup::default().wait_at_most(PAUSE)
                && JsFuture::from(pause).await.is_ok()
                && queue.is_idle()
            {
                spare.prepare().await;
            }
        });
        respond(pending).await
    }
}

impl Spare {
    async fn prepare(&self) {
        if self.ready.borrow().is_some() || self.is_on_its_way.replace(true) {
            return;
        }
        // A failure here is harmless: the next request starts its own interpreter, and reports the error.
        if let Ok(interpreter) = Interpreter::boot()
            && let Entered::Returned(0) = interpreter.initialise().await
        {
            self.ready.replace(Some(interpreter));
        }
        self.is_on_its_way.set(false);
    }
}

/// Answers all requests with one interpreter, one after the other. Its state survives.
pub(crate) struct Persistent {
    queue: Queue,
    interpreter: Rc<RefCell<Option<Rc<Interpreter>>>>,
}

impl Default for Persistent {
    fn default() -> Persistent {
        Persistent {
            queue: Queue::new(1),
            interpreter: Rc::default(),
        }
    }
}

impl Persistent {
    /// Answers a request. Starts the interpreter if there is none.
    pub(crate) async fn answer(&self, mut request: Request, env: &Env) -> Result<Response> {
        let turn = self.queue.turn().await;
        let (asked, pending) = GuestRequest::new(&mut request, env)?;
        let there = self.interpreter.borrow().clone();
        let there = there.filter(|there| !there.is_over());
        let interpreter = match there {
            Some(there) => there,
            None => Rc::new(Interpreter::boot()?),
        };
        self.interpreter.replace(Some(Rc::clone(&interpreter)));
        let place = Rc::clone(&self.interpreter);
        wasm_bindgen_futures::spawn_local(async move {
            if interpreter.serve(asked).await == InterpreterState::Finished {
                place.replace(None);
            }
            drop(turn);
        });
        respond(pending).await
    }
}

/// Waits for the response; returns an error page if there is none.
async fn respond(pending: PendingResponse) -> Result<Response> {
    let message = match pending.await {
        Ok(Ok(response)) => return Ok(response),
        // The guest has logged the traceback itself.
        Ok(Err(AnswerError::Raised(traceback))) => traceback,
        Ok(Err(broken)) => {
            worker::console_error!("pymode: {broken}");
            broken.to_string()
        }
        Err(_) => "the program has gone".to_owned(),
    };
    let shown = bundle::settings()?.development;
    Response::error(
        if shown {
            in_the_project(&message).into_owned()
        } else {
            "Internal Server Error".to_owned()
        },
        500,
    )
}
