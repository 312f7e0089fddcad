//! A request for Python and its answer, which go through files 0 and 1 of a guest that runs `_handler.py`.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Object, Promise, Reflect};
use pymode_bundle::answer::{AnswerError, AnswerEvent, AnswerReader, Head};
use pymode_bundle::pieces::piece;
use pymode_bundle::texts;
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;
use worker::{ByteStream, Env, Headers, Request, Response, ResponseBody};

use crate::body::BodyWriter;
use crate::stream::Channel;

/// Returns the first piece of a request.
fn head(request: &Request, env: &Env) -> Result<Vec<u8>, JsValue> {
    let headers: Vec<(String, String)> = request.headers().entries().collect();
    // The method as a text: the crate's type lacks most methods.
    let (method, url) = (request.inner().method(), request.inner().url());
    let count = headers.len().to_string();
    // A NUL byte would end a text early.
    let mut variables = variables(env)?;
    variables.retain(|(name, value)| !name.contains('\0') && !value.contains('\0'));
    let pairs = headers.iter().chain(&variables);
    let pairs = pairs.flat_map(|(name, value)| [name.as_str(), value]);
    let head = texts::join([&*method, &url, &count].into_iter().chain(pairs));
    let head = head.ok_or_else(|| JsError::new("the request has a NUL byte"))?;
    Ok(piece(head.as_bytes()))
}

/// Returns the bindings that are plain text.
fn variables(env: &Env) -> Result<Vec<(String, String)>, JsValue> {
    let all: &Object = AsRef::<JsValue>::as_ref(env).unchecked_ref();
    let mut texts = Vec::new();
    for name in Object::keys(all) {
        let value = Reflect::get(all, &name)?;
        texts.extend(name.as_string().zip(value.as_string()));
    }
    Ok(texts)
}

/// A request for a guest, and the answer that it will write.
pub(crate) struct GuestRequest {
    /// The first piece of the request.
    pub(crate) head: Vec<u8>,
    /// Body.
    pub(crate) body: Option<ByteStream>,
    pub(crate) answer: Answer,
}

/// A response that the guest has not started yet.
pub(crate) type PendingResponse = oneshot::Receiver<Result<Response, AnswerError>>;

impl GuestRequest {
    /// Prepares a request for a guest.
    pub(crate) fn new(
        request: &mut Request,
        env: &Env,
    ) -> Result<(GuestRequest, PendingResponse), JsValue> {
        let (answer, pending) = Answer::new();
        let asked = GuestRequest {
            head: head(request, env)?,
            // A request without a body has no stream.
            body: request.stream().ok(),
            answer,
        };
        Ok((asked, pending))
    }
}

/// An incoming answer. Clones share it.
#[derive(Clone)]
pub(crate) struct Answer(Rc<RefCell<Incoming>>);

struct Incoming {
    reader: AnswerReader,
    destination: Destination,
}

/// The destination of an answer.
enum Destination {
    /// The task that waits for its head.
    Head(oneshot::Sender<Result<Response, AnswerError>>),
    /// The body of a response.
    Body(BodyWriter),
    /// None: the response has no body, is complete, or was abandoned.
    Nowhere,
}

impl Answer {
    /// Creates an answer, and the response that it starts.
    fn new() -> (Answer, PendingResponse) {
        let (sender, receiver) = oneshot::channel();
        let incoming = Incoming {
            reader: AnswerReader::default(),
            destination: Destination::Head(sender),
        };
        (Answer(Rc::new(RefCell::new(incoming))), receiver)
    }

    /// Returns the stream that the guest writes to.
    pub(crate) fn stream(&self) -> Box<dyn Stream> {
        Box::new(AnswerOut(self.clone()))
    }

    /// Ends the answer. If it is incomplete, `reason` says why.
    pub(crate) fn end(&self, reason: impl FnOnce() -> String) {
        let mut incoming = self.0.borrow_mut();
        match std::mem::replace(&mut incoming.destination, Destination::Nowhere) {
            Destination::Head(sender) => drop(sender.send(Err(AnswerError::Ended(reason())))),
            Destination::Body(body) => body.fail(&reason()),
            Destination::Nowhere => {}
        }
    }
}

impl Incoming {
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(step) = self.reader.next(&mut bytes) {
            self.destination = match (
                std::mem::replace(&mut self.destination, Destination::Nowhere),
                step,
            ) {
                (Destination::Head(sender), AnswerEvent::Head(head)) => {
                    let (response, destination) = match begin(head) {
                        Ok((response, body)) => (
                            Ok(response),
                            body.map_or(Destination::Nowhere, Destination::Body),
                        ),
                        Err(broken) => (Err(broken), Destination::Nowhere),
                    };
                    // The client may have disconnected; the guest still ends normally.
                    let _ = sender.send(response);
                    destination
                }
                (Destination::Head(sender), AnswerEvent::Failed(broken)) => {
                    let _ = sender.send(Err(broken));
                    Destination::Nowhere
                }
                (Destination::Body(body), AnswerEvent::Body(bytes)) => {
                    body.put(bytes);
                    Destination::Body(body)
                }
                (Destination::Body(body), AnswerEvent::End) => {
                    body.end();
                    Destination::Nowhere
                }
                (Destination::Body(body), AnswerEvent::Failed(broken)) => {
                    body.fail(&broken.to_string());
                    Destination::Nowhere
                }
                (destination, _) => destination,
            };
        }
    }
}

/// Creates a response from its head, and its body, if it has one.
fn begin(head: Head) -> Result<(Response, Option<BodyWriter>), AnswerError> {
    let refused = |error: &dyn std::fmt::Display| {
        AnswerError::Ended(format!("the program's answer is refused: {error}"))
    };
    let (body, content) = match head.has_body() {
        true => {
            let (body, stream) =
                BodyWriter::new().map_err(|_| refused(&"it cannot be streamed"))?;
            (Some(body), ResponseBody::Stream(stream))
        }
        // The runtime refuses a body here.
        false => (None, ResponseBody::Empty),
    };
    let headers = Headers::new();
    for (name, value) in &head.headers {
        headers
            .append(name, value)
            .map_err(|error| refused(&error))?;
    }
    let response = Response::from_body(content).map_err(|error| refused(&error))?;
    let response = response.with_status(head.status).with_headers(headers);
    Ok((response, body))
}

struct AnswerOut(Answer);

impl Stream for AnswerOut {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        let mut incoming = self.0.0.borrow_mut();
        if matches!(&incoming.destination, Destination::Body(body) if body.is_abandoned()) {
            return Err(Errno::Pipe);
        }
        incoming.take(bytes);
        Ok(bytes.len())
    }
}

impl Channel for Answer {
    fn congestion(&self) -> Option<Promise> {
        match &self.0.borrow().destination {
            Destination::Body(body) => body.pause(),
            Destination::Head(_) | Destination::Nowhere => None,
        }
    }
}
