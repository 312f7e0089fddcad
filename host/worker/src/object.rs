//! The Durable Object, and the Worker before it.

use worker::{
    Context, DurableObject, Env, Request, Response, Result, State, durable_object, event,
};

use crate::run;

/// The binding under which the Worker finds its objects.
const BINDING: &str = "PYTHON";

/// Every request goes to the object.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    env.durable_object(BINDING)?
        .get_by_name("main")?
        .fetch_with_request(request)
        .await
}

/// Python in a Durable Object.
#[durable_object]
pub struct PythonObject {
    _state: State,
    _env: Env,
}

impl DurableObject for PythonObject {
    fn new(state: State, env: Env) -> Self {
        PythonObject {
            _state: state,
            _env: env,
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let answer = run::run(&request.bytes().await?).await;
        Response::from_bytes(answer)
    }
}
