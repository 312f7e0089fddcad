//! One interpreter that stays, and answers one request after the other.
//!
//! It is entered by calls of the C API, each of which returns before the next: between requests nothing of it is on a stack.

use std::cell::RefCell;
use std::rc::Rc;

use pymode_host::vfs::FileKind;
use pymode_host::wasi::{Stdio, Stream};
use pymode_host::{Errno, GuestMemory};
use worker::{Env, Error, Request, Response, Result};

use crate::boot::{self, Ended, Setup, call};
use crate::guest::Registered;
use crate::queue::Queue;
use crate::serve::{ask, environment, said};
use crate::stream::Log;

/// Tells `main` to return once the interpreter is there.
const STAY: (&str, &str) = ("PYMODE_STAY", "1");

/// The interpreter of an object, and who is next.
#[derive(Default)]
pub(crate) struct Persistent {
    queue: Queue,
    interpreter: RefCell<Option<Rc<Interpreter>>>,
}

struct Interpreter {
    guest: Registered,
    stdin: Relay,
    stdout: Relay,
    /// `_handler.serve`, a Python object.
    serve: u32,
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
        let interpreter = match there {
            Some(there) => there,
            None => {
                let new = Rc::new(
                    Interpreter::start()
                        .await
                        .map_err(|ended| Error::RustError(said(&ended)))?,
                );
                self.interpreter.replace(Some(Rc::clone(&new)));
                new
            }
        };
        let asked = ask(&mut request, env)?;
        interpreter.stdin.switch(asked.input.stream());
        interpreter.stdout.switch(asked.answer.stream());
        interpreter.guest.channel.replace(Some(asked.channel));
        let answer = asked.answer;
        wasm_bindgen_futures::spawn_local(async move {
            let served = interpreter.serve().await;
            interpreter.guest.channel.replace(None);
            interpreter.stdin.close();
            interpreter.stdout.close();
            match served {
                Ok(()) => answer.end(|| "the program's answer ended in the middle".to_owned()),
                Err(ended) => {
                    // Nothing of it can be trusted any more: the next request gets a new one.
                    self.interpreter.replace(None);
                    answer.end(|| said(&ended));
                }
            }
            drop(turn);
        });
        asked.response.response().await
    }
}

impl Interpreter {
    /// Starts an interpreter and imports the program.
    async fn start() -> std::result::Result<Interpreter, Ended> {
        let fault = |error: &dyn std::fmt::Display| Ended::Fault(error.to_string());
        let (stdin, stdout) = (Relay::default(), Relay::default());
        let mut env = environment().map_err(|error| fault(&error))?;
        env.push((STAY.0.into(), STAY.1.into()));
        let guest = boot::boot(Setup {
            args: ["python", "-S"].map(Vec::from).into(),
            env,
            stdio: Stdio {
                stdin: Box::new(stdin.clone()),
                stdout: Box::new(stdout.clone()),
                stderr: Box::new(Log::default()),
            },
            channel: None,
            mounts: Vec::new(),
        });
        let guest = guest.map_err(|thrown| Ended::Fault(pymode_dylink_js::reason(&thrown)))?;
        call(&guest, "_start", &[]).await?;
        let module = python(
            &guest,
            "PyImport_ImportModule",
            &[c_string(&guest, c"_handler")?],
        )
        .await?;
        let initialise = c_string(&guest, c"initialise")?;
        let initialise = python(&guest, "PyObject_GetAttrString", &[module, initialise]).await?;
        python(&guest, "PyObject_CallNoArgs", &[initialise]).await?;
        let serve = python(
            &guest,
            "PyObject_GetAttrString",
            &[module, c_string(&guest, c"serve")?],
        )
        .await?;
        Ok(Interpreter {
            guest,
            stdin,
            stdout,
            serve,
        })
    }

    async fn serve(&self) -> std::result::Result<(), Ended> {
        let result = call(&self.guest, "PyObject_CallNoArgs", &[self.serve]).await?;
        if result == 0 {
            // It has logged what went wrong, and the interpreter is as before.
            call(&self.guest, "PyErr_Clear", &[]).await?;
        } else {
            call(&self.guest, "Py_DecRef", &[result]).await?;
        }
        Ok(())
    }
}

/// Calls a function that returns a Python object; an exception is the end of a start.
async fn python(
    guest: &Registered,
    function: &str,
    args: &[u32],
) -> std::result::Result<u32, Ended> {
    match call(guest, function, args).await? {
        0 => {
            call(guest, "PyErr_Print", &[]).await?;
            Err(Ended::Fault(
                "the program could not be imported; the log has the traceback".to_owned(),
            ))
        }
        object => Ok(object),
    }
}

/// A copy of a text in the guest's memory. It stays: there are few, and they are short.
fn c_string(guest: &Registered, text: &std::ffi::CStr) -> std::result::Result<u32, Ended> {
    let bytes = text.to_bytes_with_nul();
    let fault = |error: String| Ended::Fault(error);
    let at = boot::call_now(guest, "malloc", &[bytes.len() as u32]).map_err(fault)?;
    if at == 0 {
        return Err(fault("there is no memory left".to_owned()));
    }
    (&guest.window)
        .write(at, bytes)
        .map_err(|errno| fault(errno.to_string()))?;
    Ok(at)
}

/// A stream that is another one for each request.
#[derive(Clone, Default)]
struct Relay(Rc<RefCell<Option<Box<dyn Stream>>>>);

impl Relay {
    fn switch(&self, to: Box<dyn Stream>) {
        self.0.replace(Some(to));
    }

    fn close(&self) {
        self.0.replace(None);
    }
}

impl Stream for Relay {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn read(&mut self, into: &mut [u8], may_wait: bool) -> std::result::Result<usize, Errno> {
        self.0
            .borrow_mut()
            .as_mut()
            .map_or(Ok(0), |stream| stream.read(into, may_wait))
    }

    fn write(&mut self, bytes: &[u8]) -> std::result::Result<usize, Errno> {
        self.0
            .borrow_mut()
            .as_mut()
            .map_or(Err(Errno::Pipe), |stream| stream.write(bytes))
    }

    fn readable(&mut self) -> Option<u64> {
        self.0
            .borrow_mut()
            .as_mut()
            .map_or(Some(0), |stream| stream.readable())
    }
}
