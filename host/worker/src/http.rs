//! A request for Python and its answer: what goes through files 0 and 1 of a guest that runs `_handler.py`.
//!
//! Both are made of pieces, each with its length in front (4 bytes, little-endian): first the head, then the body's, then an
//! empty one. `_handler.py` says what is in a head.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::StreamExt;
use js_sys::{Object, Promise, Reflect};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;
use worker::{Env, Headers, Request, Response, ResponseBody};

use crate::body::Body;
use crate::stream::{Channel, Pipe};

/// The longest head that is taken from a guest, in bytes.
const LONGEST_HEAD: usize = 1 << 20;

/// The first piece of a request.
pub(crate) fn head(request: &Request, env: &Env) -> Result<Vec<u8>, JsValue> {
    let headers: Vec<(String, String)> = request.headers().entries().collect();
    let mut texts = vec![
        request.method().to_string(),
        request.inner().url(),
        headers.len().to_string(),
    ];
    texts.extend(headers.into_iter().flat_map(|(name, value)| [name, value]));
    for (name, value) in variables(env)? {
        // The guest could not tell what such a text is.
        if !name.contains('\0') && !value.contains('\0') {
            texts.extend([name, value]);
        }
    }
    Ok(piece(texts.join("\0").as_bytes()))
}

/// The bindings that are plain text.
fn variables(env: &Env) -> Result<Vec<(String, String)>, JsValue> {
    let all: &Object = AsRef::<JsValue>::as_ref(env).unchecked_ref();
    let mut texts = Vec::new();
    for name in Object::keys(all) {
        let value = Reflect::get(all, &name)?;
        texts.extend(name.as_string().zip(value.as_string()));
    }
    Ok(texts)
}

/// A piece with its length in front.
pub(crate) fn piece(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_le_bytes(), content].concat()
}

/// What has come of an answer.
enum Stage {
    /// Not all of the head.
    Head(oneshot::Sender<Result<Response, Broken>>),
    /// The head, and some of the body.
    Body(Body),
    /// All of it, or somebody gave up.
    End,
}

/// Why a guest's answer is none.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Its handler raised: the traceback.
    Raised(String),
    /// It does not keep to the form, or ended in the middle.
    Form(String),
}

/// An answer that is coming in. Clones share it.
#[derive(Clone)]
pub(crate) struct Answer(Rc<RefCell<Incoming>>);

struct Incoming {
    bytes: Vec<u8>,
    stage: Stage,
}

impl Answer {
    /// An answer, and the response that it will begin.
    pub(crate) fn new() -> (Answer, oneshot::Receiver<Result<Response, Broken>>) {
        let (sender, receiver) = oneshot::channel();
        let incoming = Incoming {
            bytes: Vec::new(),
            stage: Stage::Head(sender),
        };
        (Answer(Rc::new(RefCell::new(incoming))), receiver)
    }

    /// The stream that the guest writes it to.
    pub(crate) fn stream(&self) -> Box<dyn Stream> {
        Box::new(AnswerOut(self.clone()))
    }

    /// Nothing more will come. If something is missing, `reason` is why.
    pub(crate) fn end(&self, reason: impl FnOnce() -> String) {
        match std::mem::replace(&mut self.0.borrow_mut().stage, Stage::End) {
            // The other end may have gone.
            Stage::Head(sender) => drop(sender.send(Err(Broken::Form(reason())))),
            Stage::Body(body) => body.fail(&reason()),
            Stage::End => {}
        }
    }
}

impl Incoming {
    fn take_pieces(&mut self) {
        let mut at = 0;
        while let Some((piece, end)) = next_piece(&self.bytes, at) {
            let piece = self.bytes[piece].to_vec();
            at = end;
            self.piece(&piece);
        }
        self.bytes.drain(..at);
        if let Stage::Head(_) = self.stage
            && self.bytes.len() > LONGEST_HEAD
        {
            self.stage = Stage::End;
        }
    }

    fn piece(&mut self, piece: &[u8]) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::End) {
            Stage::Head(sender) => match begin(piece) {
                Ok((response, body)) => {
                    // Whoever asked may have gone; the guest still ends in its own way.
                    let _ = sender.send(Ok(response));
                    Stage::Body(body)
                }
                Err(broken) => {
                    let _ = sender.send(Err(broken));
                    // Its empty last piece is all that follows.
                    Stage::End
                }
            },
            Stage::Body(body) if piece.is_empty() => {
                body.end();
                Stage::End
            }
            Stage::Body(body) => {
                body.put(piece);
                Stage::Body(body)
            }
            Stage::End => Stage::End,
        };
    }
}

/// Where the piece at `at` lies, and where it ends; nothing if it is not all there.
fn next_piece(bytes: &[u8], at: usize) -> Option<(std::ops::Range<usize>, usize)> {
    let (len, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    rest.get(..len)?;
    Some((at + 4..at + 4 + len, at + 4 + len))
}

/// A response from its head.
fn begin(head: &[u8]) -> Result<(Response, Body), Broken> {
    let form = |what: &str| Broken::Form(format!("the program's answer {what}"));
    let text = str::from_utf8(head).map_err(|_| form("is not text"))?;
    let mut texts = text.split('\0');
    let status = match (texts.next(), texts.clone().next()) {
        (Some("fault"), traceback) => {
            return Err(Broken::Raised(traceback.unwrap_or_default().to_owned()));
        }
        (status, _) => status.and_then(|status| status.parse::<u16>().ok()),
    };
    let status = status
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| form("has no status that can be"))?;
    let headers = Headers::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        headers
            .append(name, value)
            .map_err(|error| form(&format!("has a header that cannot be: {error}")))?;
    }
    let (body, stream) = Body::new().map_err(|_| form("cannot be streamed"))?;
    // These statuses have no body, and a runtime refuses one.
    let content = match status {
        204 | 205 | 304 => ResponseBody::Empty,
        _ => ResponseBody::Stream(stream),
    };
    let response = Response::from_body(content).map_err(|error| form(&error.to_string()))?;
    Ok((response.with_status(status).with_headers(headers), body))
}

struct AnswerOut(Answer);

impl Stream for AnswerOut {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let mut incoming = self.0.0.borrow_mut();
        if let Stage::End = incoming.stage {
            // What follows the end of an answer is nobody's.
            return Ok(bytes.len());
        }
        incoming.bytes.extend_from_slice(bytes);
        incoming.take_pieces();
        Ok(bytes.len())
    }
}

/// The two ends of an exchange, as a guest's channel.
pub(crate) struct Exchange {
    input: Pipe,
    answer: Answer,
    body: Rc<RefCell<RequestBody>>,
}

/// The body of a request.
enum RequestBody {
    /// Some of it may be left.
    Open(worker::ByteStream),
    /// A piece is on its way.
    Reading,
    /// All of it was given to the guest.
    Ended,
}

impl Exchange {
    /// An exchange; the head of the request waits in `input` already.
    pub(crate) fn new(request: &mut Request, answer: Answer, input: Pipe) -> Exchange {
        // A request without a body has no stream.
        let body = request
            .stream()
            .map_or(RequestBody::Ended, RequestBody::Open);
        if let RequestBody::Ended = body {
            input.give(&piece(&[]));
        }
        Exchange {
            input,
            answer,
            body: Rc::new(RefCell::new(body)),
        }
    }
}

impl Channel for Exchange {
    fn input(&self) -> &Pipe {
        &self.input
    }

    /// Reads one piece of the body, so that a guest that does not read is not flooded.
    fn ask(&self) {
        let taken = std::mem::replace(&mut *self.body.borrow_mut(), RequestBody::Reading);
        let RequestBody::Open(mut stream) = taken else {
            *self.body.borrow_mut() = taken;
            return;
        };
        let (body, input) = (Rc::clone(&self.body), self.input.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let next = match stream.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => RequestBody::Open(stream),
                Some(Ok(bytes)) => {
                    input.give(&piece(&bytes));
                    RequestBody::Open(stream)
                }
                None => {
                    input.give(&piece(&[]));
                    RequestBody::Ended
                }
                // Cut off: the guest sees that there is no last piece.
                Some(Err(_)) => {
                    input.end();
                    RequestBody::Ended
                }
            };
            body.replace(next);
        });
    }

    fn congestion(&self) -> Option<Promise> {
        match &self.answer.0.borrow().stage {
            Stage::Body(body) => body.pause(),
            Stage::Head(_) | Stage::End => None,
        }
    }
}
