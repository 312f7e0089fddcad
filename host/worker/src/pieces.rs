//! Messages to a guest: a head and a body, in pieces with their length in front (4 bytes, little-endian), and an empty one at
//! the end.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt;
use worker::ByteStream;

use crate::pipe::Pipe;

/// In place of a length: the message breaks off here.
pub(crate) const CUT_OFF: u32 = u32::MAX;

/// A piece with its length in front.
pub(crate) fn piece(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_le_bytes(), content].concat()
}

/// A body that comes in, and the pipe that it goes to.
pub(crate) struct Body {
    state: RefCell<State>,
    pipe: Pipe,
}

enum State {
    /// Some of it may be left.
    Open(ByteStream),
    /// A piece is on its way.
    Reading,
    /// The body has ended, and the guest does not know yet.
    Missing,
    /// All of it was given to the guest.
    Ended,
}

impl Body {
    /// A body, or that there is none.
    pub(crate) fn new(stream: Option<ByteStream>, pipe: Pipe) -> Rc<Body> {
        let state = stream.map_or(State::Missing, State::Open);
        Rc::new(Body {
            state: RefCell::new(state),
            pipe,
        })
    }

    /// Reads one piece of the body, so that a guest that does not read is not flooded.
    pub(crate) fn ask(self: &Rc<Self>) {
        match self.state.replace(State::Reading) {
            State::Open(stream) => {
                // Only as long as somebody may still want it.
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
                self.pipe.give(&piece(&[]));
            }
            State::Ended => {
                self.state.replace(State::Ended);
            }
        }
    }

    fn take(self: &Rc<Self>, next: Option<worker::Result<Vec<u8>>>, stream: ByteStream) {
        let (state, given) = match next {
            Some(Ok(bytes)) if bytes.is_empty() => {
                self.state.replace(State::Open(stream));
                return self.ask();
            }
            Some(Ok(bytes)) => (State::Open(stream), piece(&bytes)),
            None => (State::Ended, piece(&[])),
            Some(Err(_)) => (State::Ended, CUT_OFF.to_le_bytes().into()),
        };
        self.state.replace(state);
        self.pipe.give(&given);
    }
}
