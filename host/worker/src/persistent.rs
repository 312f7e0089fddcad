//! One interpreter that stays, and answers one request after the other.
//!
//! `_handler.py` reads the next request from file 0 and waits there until one comes: between two requests the guest is
//! suspended, and its state is whatever the last one left.

use std::cell::RefCell;
use std::rc::Rc;

use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::{Stdio, Stream};
use worker::{Env, Request, Response, Result};

use crate::boot::{self, Setup};
use crate::guest::Registered;
use crate::http::{Answer, Exchange, head};
use crate::queue::{Queue, Turn};
use crate::serve::{Pending, environment, said};
use crate::stream::{Log, Pipe};

/// The interpreter of an object, and who is next.
#[derive(Default)]
pub(crate) struct Persistent {
    queue: Queue,
    interpreter: RefCell<Option<Rc<Interpreter>>>,
}

struct Interpreter {
    guest: Registered,
    input: Pipe,
    output: Relay,
    asking: Asking,
}

/// The request that the guest is at, if it is at one.
type Asking = Rc<RefCell<Option<Current>>>;

struct Current {
    answer: Answer,
    /// The next request gets its turn when this is dropped.
    _turn: Turn,
}

impl Persistent {
    /// Answers with the interpreter that stays; the first request, and the first after it has died, starts it.
    pub(crate) async fn answer(
        self: Rc<Self>,
        mut request: Request,
        env: &Env,
    ) -> Result<Response> {
        let turn = self.queue.turn().await;
        let there = self.interpreter.borrow().clone();
        let is_new = there.is_none();
        let interpreter = match there {
            Some(there) => there,
            None => Rc::new(Interpreter::boot()?),
        };
        let (answer, receiver) = Answer::new();
        let asking = Rc::clone(&interpreter.asking);
        let exchange = Exchange::new(&mut request, answer.clone(), interpreter.input.clone())
            .when_done(move || {
                finish(&asking, || {
                    "the program did not finish its answer".to_owned()
                })
            });
        interpreter.asking.replace(Some(Current {
            answer: answer.clone(),
            _turn: turn,
        }));
        interpreter.output.switch(answer.stream());
        interpreter.guest.channel.replace(Some(Rc::new(exchange)));
        // The guest waits for this, unless it is yet to begin.
        interpreter.input.give(&head(&request, env)?);
        if is_new {
            self.interpreter.replace(Some(Rc::clone(&interpreter)));
            wasm_bindgen_futures::spawn_local(self.keep(interpreter));
        }
        Pending::new(receiver).response().await
    }

    /// Runs the interpreter until it ends, which it does by a fault or by `os._exit`. The next request gets a new one.
    async fn keep(self: Rc<Self>, interpreter: Rc<Interpreter>) {
        let ended = boot::run(&interpreter.guest).await;
        self.interpreter.replace(None);
        finish(&interpreter.asking, || said(&ended));
    }
}

/// The guest is done with its request. If the answer is not complete, `reason` is why.
fn finish(asking: &Asking, reason: impl FnOnce() -> String) {
    let current = asking.take();
    if let Some(current) = current {
        current.answer.end(reason);
    }
}

impl Interpreter {
    fn boot() -> Result<Interpreter> {
        let (input, output) = (Pipe::default(), Relay::default());
        let guest = boot::boot(Setup {
            args: ["python", "-S", "-c", "import _handler; _handler.stay()"]
                .map(Vec::from)
                .into(),
            env: environment()?,
            stdio: Stdio {
                stdin: input.stream(),
                stdout: Box::new(output.clone()),
                stderr: Box::new(Log::default()),
            },
            channel: None,
            mounts: Vec::new(),
        })?;
        Ok(Interpreter {
            guest,
            input,
            output,
            asking: Rc::default(),
        })
    }
}

/// A stream that leads elsewhere for each request.
#[derive(Clone, Default)]
struct Relay(Rc<RefCell<Option<Box<dyn Stream>>>>);

impl Relay {
    fn switch(&self, to: Box<dyn Stream>) {
        self.0.replace(Some(to));
    }
}

impl Stream for Relay {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], may_wait: bool) -> std::result::Result<usize, Errno> {
        let mut to = self.0.borrow_mut();
        to.as_mut()
            .map_or(Err(Errno::Pipe), |stream| stream.write(bytes, may_wait))
    }
}
