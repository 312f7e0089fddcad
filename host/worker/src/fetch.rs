//! HTTP requests of a guest.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use pymode_bundle::pieces::piece;
use pymode_bundle::texts;
use pymode_host::Errno;
use pymode_host::wasi::Stream;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Response;

use crate::pieces;
use crate::pipe::Pipe;
use crate::wakeup::Wakeup;

/// Sends a request and returns the stream of its answer. `head` has the method, the URL, and names and values of headers.
pub(crate) fn fetch(head: &str, body: &[u8], wakeup: &Wakeup) -> Result<Box<dyn Stream>, Errno> {
    let mut all = texts::split(head);
    let (Some(method), Some(url)) = (all.next(), all.next()) else {
        return Err(Errno::Inval);
    };
    let headers = texts::pairs(all).ok_or(Errno::Inval)?;
    let sent = send(method, url, &headers, body);

    let pipe = Pipe::new(wakeup);
    let answer: Rc<RefCell<Option<Rc<pieces::BodyReader>>>> = Rc::default();
    let (to, begun) = (pipe.clone(), Rc::downgrade(&answer));
    wasm_bindgen_futures::spawn_local(async move {
        let response = match sent {
            Ok(promise) => JsFuture::from(promise).await,
            Err(thrown) => Err(thrown),
        };
        // The guest may have closed it.
        let Some(begun) = begun.upgrade() else { return };
        match response.and_then(|response| begin(response, &to)) {
            Ok(body) => drop(begun.replace(Some(body))),
            Err(thrown) => {
                let reason = pymode_dylink_js::reason(&thrown);
                to.push(&[piece(format!("error\0{reason}").as_bytes()), piece(&[])].concat());
            }
        }
    });
    Ok(pipe.stream(move || {
        if let Some(body) = &*answer.borrow() {
            body.ask();
        }
    }))
}

fn send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Promise, JsValue> {
    let pairs = Array::new();
    for (name, value) in headers {
        pairs.push(&Array::of2(&name.into(), &value.into()));
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

/// Writes the head of an answer to the guest's pipe. The body follows on demand.
fn begin(response: JsValue, pipe: &Pipe) -> Result<Rc<pieces::BodyReader>, JsValue> {
    let response: worker::web_sys::Response = response.dyn_into()?;
    let mut texts = vec![response.status().to_string(), response.url()];
    let mut response = Response::from(response);
    for (name, value) in response.headers().entries() {
        texts.extend([name, value]);
    }
    // Without a body there is no stream.
    let body = pieces::BodyReader::new(response.stream().ok(), pipe.clone());
    pipe.push(&piece(texts.join("\0").as_bytes()));
    Ok(body)
}
