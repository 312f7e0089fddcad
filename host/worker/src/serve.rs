//! Requests, answered by Python.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use pymode_host::wasi::Stdio;
use worker::{Env, Request, Response, Result};

use crate::boot::{self, Ended, Setup};
use crate::bundle;
use crate::http::{Answer, Broken, Exchange, head};
use crate::stream::{Channel, Log, Pipe};

/// A request that a guest can read, and the answer that it will write.
pub(crate) struct Asked {
    pub(crate) input: Pipe,
    pub(crate) answer: Answer,
    pub(crate) channel: Rc<dyn Channel>,
    pub(crate) response: Pending,
}

/// A response that the guest has yet to begin.
pub(crate) struct Pending(
    futures_channel::oneshot::Receiver<std::result::Result<Response, Broken>>,
);

/// Makes a request ready for a guest.
pub(crate) fn ask(request: &mut Request, env: &Env) -> Result<Asked> {
    let input = Pipe::default();
    input.give(&head(request, env)?);
    let (answer, receiver) = Answer::new();
    let channel = Rc::new(Exchange::new(request, answer.clone(), input.clone()));
    Ok(Asked {
        input,
        answer,
        channel,
        response: Pending(receiver),
    })
}

impl Pending {
    pub(crate) fn new(
        receiver: futures_channel::oneshot::Receiver<std::result::Result<Response, Broken>>,
    ) -> Pending {
        Pending(receiver)
    }

    /// The response, or a page that says that there is none.
    pub(crate) async fn response(self) -> Result<Response> {
        let message = match self.0.await {
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
}

/// Answers with an interpreter that is there for this request only.
pub(crate) async fn once(mut request: Request, env: &Env) -> Result<Response> {
    let asked = ask(&mut request, env)?;
    let guest = boot::boot(Setup {
        args: ["python", "-S", "-c", "import _handler; _handler.main()"]
            .map(Vec::from)
            .into(),
        env: environment()?,
        stdio: Stdio {
            stdin: asked.input.stream(),
            stdout: asked.answer.stream(),
            stderr: Box::new(Log::default()),
        },
        channel: Some(asked.channel),
        mounts: Vec::new(),
    })?;
    let answer = asked.answer;
    wasm_bindgen_futures::spawn_local(async move {
        let ended = boot::run(&guest).await;
        answer.end(|| said(&ended));
    });
    asked.response.response().await
}

/// The end of a program, as a sentence.
pub(crate) fn said(ended: &Ended) -> String {
    match ended {
        Ended::Exit(code) => {
            format!("the program exited with code {code} before its answer was complete")
        }
        Ended::Fault(reason) => format!("the program was stopped by a fault: {reason}"),
    }
}

/// The environment of guests that answer requests.
pub(crate) fn environment() -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let texts = bundle::with(bundle::Bundle::environment)?;
    let mut all = Vec::new();
    for name in Object::keys(&texts) {
        let value = Reflect::get(&texts, &name)?;
        let (name, value) = (name.as_string(), value.as_string());
        let pair = name
            .zip(value)
            .ok_or("the bundle's environment is not all text")?;
        all.push((pair.0.into_bytes(), pair.1.into_bytes()));
    }
    Ok(all)
}
