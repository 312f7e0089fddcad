//! Requests, answered by Python.

use std::cell::RefCell;
use std::rc::Rc;

use worker::{Env, Request, Response, Result};

use crate::bundle;
use crate::http::{Asked, Broken, Pending};
use crate::interpreter::{Fitness, Interpreter};
use crate::queue::Queue;

/// How many interpreters of an object may be at work at once: all of them share the isolate's memory.
const AT_ONCE: usize = 4;

/// Answers each request with an interpreter that is there for this request only.
pub(crate) struct Fresh {
    queue: Queue,
}

impl Default for Fresh {
    fn default() -> Fresh {
        Fresh {
            queue: Queue::new(AT_ONCE),
        }
    }
}

impl Fresh {
    pub(crate) async fn answer(&self, mut request: Request, env: &Env) -> Result<Response> {
        let turn = self.queue.turn().await;
        let (asked, pending) = Asked::new(&mut request, env)?;
        let interpreter = Interpreter::boot()?;
        wasm_bindgen_futures::spawn_local(async move {
            interpreter.serve(asked).await;
            drop(interpreter);
            drop(turn);
        });
        respond(pending).await
    }
}

/// Answers all requests with one interpreter, one after the other; its state survives.
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
    /// The first request, and the first after it has died, starts the interpreter.
    pub(crate) async fn answer(&self, mut request: Request, env: &Env) -> Result<Response> {
        let turn = self.queue.turn().await;
        let (asked, pending) = Asked::new(&mut request, env)?;
        let there = self.interpreter.borrow().clone();
        let interpreter = match there {
            Some(there) => there,
            None => Rc::new(Interpreter::boot()?),
        };
        self.interpreter.replace(Some(Rc::clone(&interpreter)));
        let place = Rc::clone(&self.interpreter);
        wasm_bindgen_futures::spawn_local(async move {
            if interpreter.serve(asked).await == Fitness::Spent {
                place.replace(None);
            }
            drop(turn);
        });
        respond(pending).await
    }
}

/// The response, or a page that says that there is none.
async fn respond(pending: Pending) -> Result<Response> {
    let message = match pending.await {
        Ok(Ok(response)) => return Ok(response),
        // The guest has logged the traceback itself.
        Ok(Err(Broken::Raised(traceback))) => traceback,
        Ok(Err(Broken::Form(reason))) => {
            worker::console_error!("pymode: {reason}");
            reason
        }
        Err(_) => "the program has gone".to_owned(),
    };
    let shown = bundle::with(bundle::Bundle::development)?;
    Response::error(
        if shown {
            message
        } else {
            "Internal Server Error".to_owned()
        },
        500,
    )
}
