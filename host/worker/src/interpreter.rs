//! An interpreter that answers requests: one call initialises it, and one call serves each request.
//!
//! Between two calls its stack is empty.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pymode_bundle::BundleSettings;
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::{Stdio, Stream};
use worker::Result;

use crate::boot::{self, Ended, Entered, Setup};
use crate::bundle;
use crate::frames;
use crate::guest::{GuestInstance, RegisteredGuest};
use crate::http::{Answer, GuestRequest};
use crate::log::Log;
use crate::pieces;
use crate::pipe::Pipe;
use crate::platform;
use crate::wakeup::Wakeup;

pub(crate) struct Interpreter {
    guest: RegisteredGuest,
    input: Pipe,
    /// Body of the current request.
    body: Rc<RefCell<Option<Rc<pieces::BodyReader>>>>,
    output: Relay,
    log: Log,
    is_initialised: Cell<bool>,
}

/// State of an interpreter after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InterpreterState {
    Reusable,
    Finished,
}

impl Interpreter {
    /// Instantiates an interpreter. No code of it runs.
    pub(crate) fn boot() -> Result<Interpreter> {
        let settings = bundle::settings()?;
        let wakeup = Wakeup::default();
        let input = Pipe::new(&wakeup);
        let body: Rc<RefCell<Option<Rc<pieces::BodyReader>>>> = Rc::default();
        let asked = Rc::clone(&body);
        let ask = move || {
            if let Some(body) = &*asked.borrow() {
                body.ask();
            }
        };
        let (output, log) = (Relay::default(), Log::default());
        let guest = boot::boot(Setup {
            args: vec![b"python".into()],
            env: environment(&settings),
            stdio: Stdio {
                stdin: input.stream(ask),
                stdout: Box::new(output.clone()),
                stderr: Box::new(log.clone()),
            },
            wakeup,
            has_network: true,
            channel: None,
            trace: match settings.traces_loads {
                true => Some(Box::new(Log::default())),
                false => None,
            },
            mounts: Vec::new(),
        })?;
        Ok(Interpreter {
            guest,
            input,
            body,
            output,
            log,
            is_initialised: Cell::default(),
        })
    }

    /// Serves a request.
    pub(crate) async fn serve(&self, asked: GuestRequest) -> InterpreterState {
        let answer = asked.answer;
        self.output.0.replace(Some(answer.stream()));
        self.guest.channel.replace(Some(Rc::new(answer.clone())));
        let body = pieces::BodyReader::new(asked.body, self.input.clone());
        self.body.replace(Some(body));
        self.input.clear();
        self.input.push(&asked.head);
        let state = self.enter(&answer).await;
        answer.end(|| "the program did not finish its answer".to_owned());
        // The rest of the request is discarded.
        self.body.replace(None);
        self.output.0.replace(None);
        self.log.end_line();
        state
    }

    /// Returns `true` if a thread has ended the program between two requests.
    pub(crate) fn is_over(&self) -> bool {
        self.guest.threads.is_over()
    }

    /// Initialises the interpreter, once. This does not depend on a request.
    pub(crate) async fn initialise(&self) -> Entered {
        match self.is_initialised.replace(true) {
            true => Entered::Returned(0),
            false => {
                let entered = boot::enter(&self.guest, "pymode_initialise").await;
                self.log.end_line();
                entered
            }
        }
    }

    async fn enter(&self, answer: &Answer) -> InterpreterState {
        let initialised = match self.initialise().await {
            Entered::Returned(code) => code,
            Entered::Ended(ended) => {
                answer.end(|| describe(&self.guest, &ended));
                return InterpreterState::Finished;
            }
        };
        match boot::enter(&self.guest, "pymode_serve").await {
            // After a failed initialisation it can still report the error.
            Entered::Returned(served) if initialised == 0 && served == 0 => {
                InterpreterState::Reusable
            }
            Entered::Returned(_) => InterpreterState::Finished,
            Entered::Ended(ended) => {
                answer.end(|| describe(&self.guest, &ended));
                InterpreterState::Finished
            }
        }
    }
}

/// Describes the end of a program.
fn describe(guest: &GuestInstance, ended: &Ended) -> String {
    match ended {
        Ended::Exit(code) => {
            format!("the program exited with code {code} before its answer was complete")
        }
        Ended::Failure(fault) => {
            // The log gets the functions.
            platform::log(&frames::list(guest, &fault.trace));
            format!("the program was stopped by a fault: {}", fault.reason)
        }
    }
}

/// Returns the environment of guests that answer requests.
fn environment(settings: &BundleSettings) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = settings.environment.iter();
    pairs
        .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
        .collect()
}

/// A stream with another destination for each request.
#[derive(Clone, Default)]
struct Relay(Rc<RefCell<Option<Box<dyn Stream>>>>);

impl Stream for Relay {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], may_wait: bool) -> std::result::Result<usize, Errno> {
        match &mut *self.0.borrow_mut() {
            Some(stream) => stream.write(bytes, may_wait),
            None => Err(Errno::Pipe),
        }
    }
}
