//! A request for Python and its answer: what goes through files 0 and 1 of a guest that runs `_handler.py`.
//!
//! Both are made of [pieces](crate::pieces); `_handler.py` says what is in a head.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Object, Promise, Reflect};
use pymode_host::Errno;
use pymode_host::vfs::FileKind;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;
use worker::{ByteStream, Env, Headers, Request, Response, ResponseBody};

use crate::body::Body;
use crate::pieces::{CUT_OFF, piece};
use crate::stream::Channel;

/// The longest head that is taken from a guest, in bytes.
const LONGEST_HEAD: usize = 1 << 20;

/// The first piece of a request.
fn head(request: &Request, env: &Env) -> Result<Vec<u8>, JsValue> {
    let headers: Vec<(String, String)> = request.headers().entries().collect();
    let mut texts = vec![
        // As it is: the crate's own type has no word for most methods.
        request.inner().method(),
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

/// A request that a guest can read, and the answer that it will write.
pub(crate) struct Asked {
    /// The first piece of the request.
    pub(crate) head: Vec<u8>,
    /// Body.
    pub(crate) body: Option<ByteStream>,
    pub(crate) answer: Answer,
}

/// A response that the guest has yet to begin.
pub(crate) type Pending = oneshot::Receiver<Result<Response, Broken>>;

impl Asked {
    /// Makes a request ready for a guest.
    pub(crate) fn new(request: &mut Request, env: &Env) -> Result<(Asked, Pending), JsValue> {
        let (answer, pending) = Answer::new();
        let asked = Asked {
            head: head(request, env)?,
            // A request without a body has no stream.
            body: request.stream().ok(),
            answer,
        };
        Ok((asked, pending))
    }
}

/// Progress of an answer.
enum Stage {
    /// Not all of the head.
    Head(oneshot::Sender<Result<Response, Broken>>),
    /// The head, and some of the body.
    Body(Body),
    /// The head of a response that has no body.
    Bodiless,
    /// All of it, or the rest is of no use.
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
    stage: Stage,
    /// Received bytes of a length, at most 3.
    length: Vec<u8>,
    /// Missing bytes of the current piece.
    left: usize,
    /// Received bytes of the head.
    head: Vec<u8>,
}

impl Answer {
    /// An answer, and the response that it will begin.
    fn new() -> (Answer, Pending) {
        let (sender, receiver) = oneshot::channel();
        let incoming = Incoming {
            stage: Stage::Head(sender),
            length: Vec::new(),
            left: 0,
            head: Vec::new(),
        };
        (Answer(Rc::new(RefCell::new(incoming))), receiver)
    }

    /// The stream that the guest writes it to.
    pub(crate) fn stream(&self) -> Box<dyn Stream> {
        Box::new(AnswerOut(self.clone()))
    }

    /// Nothing more will come. If something is missing, `reason` is why.
    pub(crate) fn end(&self, reason: impl FnOnce() -> String) {
        self.0.borrow_mut().break_off(reason);
    }
}

impl Incoming {
    fn take(&mut self, mut bytes: &[u8]) {
        // What follows the end of an answer is nobody's.
        while !bytes.is_empty() && !matches!(self.stage, Stage::End) {
            let wanted = if self.left > 0 {
                self.left
            } else {
                4 - self.length.len()
            };
            let (now, later) = bytes.split_at(wanted.min(bytes.len()));
            bytes = later;
            if self.left > 0 {
                self.left -= now.len();
                self.content(now);
                continue;
            }
            self.length.extend_from_slice(now);
            if let Some(length) = self.length.first_chunk::<4>() {
                let length = u32::from_le_bytes(*length);
                self.length.clear();
                self.begin_piece(length);
            }
        }
    }

    fn begin_piece(&mut self, length: u32) {
        let fault = match (&self.stage, length) {
            (_, CUT_OFF) => "breaks off",
            (Stage::Head(_), 0) => "has no head",
            (Stage::Head(_), length) if length as usize > LONGEST_HEAD => "has a head without end",
            (Stage::Body(body), 0) => {
                body.end();
                self.stage = Stage::End;
                return;
            }
            (Stage::Bodiless, 0) => {
                self.stage = Stage::End;
                return;
            }
            (_, length) => {
                self.left = length as usize;
                return;
            }
        };
        self.break_off(|| format!("the program's answer {fault}"));
    }

    /// Some of the piece under way.
    fn content(&mut self, bytes: &[u8]) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::End) {
            Stage::Head(sender) => {
                self.head.extend_from_slice(bytes);
                if self.left > 0 {
                    Stage::Head(sender)
                } else {
                    let (response, stage) = match begin(&self.head) {
                        Ok((response, Some(body))) => (Ok(response), Stage::Body(body)),
                        Ok((response, None)) => (Ok(response), Stage::Bodiless),
                        Err(broken) => (Err(broken), Stage::End),
                    };
                    // The client may have disconnected; the guest still ends normally.
                    let _ = sender.send(response);
                    stage
                }
            }
            Stage::Body(body) => {
                body.put(bytes);
                Stage::Body(body)
            }
            // Nobody would ever read it.
            Stage::Bodiless => Stage::Bodiless,
            Stage::End => Stage::End,
        };
    }

    fn break_off(&mut self, reason: impl FnOnce() -> String) {
        match std::mem::replace(&mut self.stage, Stage::End) {
            // The other end may have gone.
            Stage::Head(sender) => drop(sender.send(Err(Broken::Form(reason())))),
            Stage::Body(body) => body.fail(&reason()),
            Stage::Bodiless | Stage::End => {}
        }
    }
}

/// A response from its head, and its body, if it may have one.
fn begin(head: &[u8]) -> Result<(Response, Option<Body>), Broken> {
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
    let (body, content) = match status {
        // A runtime refuses a body of these.
        204 | 205 | 304 => (None, ResponseBody::Empty),
        _ => {
            let (body, stream) = Body::new().map_err(|_| form("cannot be streamed"))?;
            (Some(body), ResponseBody::Stream(stream))
        }
    };
    let response = Response::from_body(content).map_err(|error| form(&error.to_string()))?;
    Ok((response.with_status(status).with_headers(headers), body))
}

struct AnswerOut(Answer);

impl Stream for AnswerOut {
    fn kind(&self) -> FileKind {
        FileKind::Unknown
    }

    fn write(&mut self, bytes: &[u8], _may_wait: bool) -> Result<usize, Errno> {
        let mut incoming = self.0.0.borrow_mut();
        if matches!(&incoming.stage, Stage::Body(body) if body.is_abandoned()) {
            return Err(Errno::Pipe);
        }
        incoming.take(bytes);
        Ok(bytes.len())
    }
}

impl Channel for Answer {
    fn congestion(&self) -> Option<Promise> {
        match &self.0.borrow().stage {
            Stage::Body(body) => body.pause(),
            Stage::Head(_) | Stage::Bodiless | Stage::End => None,
        }
    }
}
