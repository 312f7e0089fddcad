//! Bodies of messages to a guest, read piece by piece on demand.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt;
use pymode_bundle::pieces::{cut_off, piece};
use worker::ByteStream;

use crate::pipe::Pipe;

/// An incoming body, and the pipe that it goes to.
pub(crate) struct BodyReader {
    state: RefCell<State>,
    pipe: Pipe,
}

enum State {
    /// More of it may follow.
    Open(ByteStream),
    /// A read is pending.
    Reading,
    /// The body has ended, and the guest does not know yet.
    Missing,
    /// The guest has all of it.
    Ended,
}

impl BodyReader {
    /// Creates a reader of a body. Without a stream the body is empty.
    pub(crate) fn new(stream: Option<ByteStream>, pipe: Pipe) -> Rc<BodyReader> {
        let state = stream.map_or(State::Missing, State::Open);
        Rc::new(BodyReader {
            state: RefCell::new(state),
            pipe,
        })
    }

    /// Reads one piece of the body: a guest that does not read gets no more.
    pub(crate) fn ask(self: &Rc<Self>) {
        match self.state.replace(State::Reading) {
            State::Open(stream) => {
                // The read does not keep the body alive.
                let body = Rc::downgrade(self);
                wasm_bindgen_futures::spawn_local(async move {
                    let mut stream = stream;
                    let next = stream.next().await;
                    if let Some(body) = body.upgrade() {
                        body.take(next, stream);
                    }
                });
            }
            State::Reading => {}
            State::Missing => {
                self.state.replace(State::Ended);
                self.pipe.push(&piece(&[]));
            }
            State::Ended => {
                self.state.replace(State::Ended);
            }
        }
    }

    fn take(self: &Rc<Self>, next: Option<worker::Result<Vec<u8>>>, stream: ByteStream) {
        let (state, arrived) = match next {
            Some(Ok(bytes)) if bytes.is_empty() => {
                self.state.replace(State::Open(stream));
                return self.ask();
            }
            Some(Ok(bytes)) => (State::Open(stream), piece(&bytes)),
            None => (State::Ended, piece(&[])),
            Some(Err(_)) => (State::Ended, cut_off().into()),
        };
        self.state.replace(state);
        self.pipe.push(&arrived);
    }
}
