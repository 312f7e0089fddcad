//! HTTP requests of a guest.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use pymode_host::Errno;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Response;

use crate::bell::Bell;
use crate::pieces::{self, piece};
use crate::pipe::Pipe;

/// Sends a request, and gives the stream of its answer. `head` is the method, the URL, and names and values of headers,
/// with NULs between them.
pub(crate) fn fetch(head: &str, body: &[u8], bell: &Bell) -> Result<Box<dyn Stream>, Errno> {
    let mut texts = head.split('\0');
    let (Some(method), Some(url)) = (texts.next(), texts.next()) else {
        return Err(Errno::Inval);
    };
    let texts: Vec<&str> = texts.collect();
    if !texts.len().is_multiple_of(2) {
        return Err(Errno::Inval);
    }
    let sent = send(method, url, &texts, body);

    let pipe = Pipe::new(bell);
    let answer: Rc<RefCell<Option<Rc<pieces::Body>>>> = Rc::default();
    let (to, begun) = (pipe.clone(), Rc::downgrade(&answer));
    wasm_bindgen_futures::spawn_local(async move {
        let response = match sent {
            Ok(promise) => JsFuture::from(promise).await,
            Err(thrown) => Err(thrown),
        };
        // Unless the guest has closed it.
        let Some(begun) = begun.upgrade() else { return };
        match response.and_then(|response| begin(response, &to)) {
            Ok(body) => drop(begun.replace(Some(body))),
            Err(thrown) => {
                let reason = pymode_dylink_js::reason(&thrown);
                to.give(&[piece(format!("error\0{reason}").as_bytes()), piece(&[])].concat());
            }
        }
    });
    Ok(pipe.stream(move || {
        if let Some(body) = &*answer.borrow() {
            body.ask();
        }
    }))
}

fn send(method: &str, url: &str, headers: &[&str], body: &[u8]) -> Result<Promise, JsValue> {
    let pairs = Array::new();
    for pair in headers.chunks(2) {
        pairs.push(
            &pair
                .iter()
                .map(|text| JsValue::from(*text))
                .collect::<Array>(),
        );
    }
    let options = Object::new();
    Reflect::set(&options, &"method".into(), &method.into())?;
    Reflect::set(&options, &"headers".into(), &pairs)?;
    if !body.is_empty() {
        Reflect::set(&options, &"body".into(), &Uint8Array::from(body))?;
    }
    let fetch: Function = Reflect::get(&js_sys::global(), &"fetch".into())?.dyn_into()?;
    fetch
        .call2(&JsValue::UNDEFINED, &url.into(), &options)?
        .dyn_into()
}

/// Gives the head of an answer to the guest; its body follows as the guest asks for it.
fn begin(response: JsValue, pipe: &Pipe) -> Result<Rc<pieces::Body>, JsValue> {
    let response: worker::web_sys::Response = response.dyn_into()?;
    let mut texts = vec![response.status().to_string(), response.url()];
    let mut response = Response::from(response);
    for (name, value) in response.headers().entries() {
        texts.extend([name, value]);
    }
    // Without a body there is no stream.
    let body = pieces::Body::new(response.stream().ok(), pipe.clone());
    pipe.give(&piece(texts.join("\0").as_bytes()));
    Ok(body)
}
