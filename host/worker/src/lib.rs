//! Python in a Durable Object.
//!
//! The host is this module, compiled to WebAssembly and instantiated once per isolate. A guest is one running Python, or another
//! program: a main module on a memory of its own, with its files, its streams and the linker's state about it.
//!
//! | file | is about |
//! |---|---|
//! | [`bundle`] | what the bundle's entry hands over: compiled modules, images, settings |
//! | [`guest`] | one running Python, and the numbers under which guests call back |
//! | [`boot`] | how a guest comes to be |
//! | [`memory_view`], [`blob`] | memory that is not ours: the guest's, the images' |
//! | [`imports`] | the functions that guests import, as raw exports of this module |
//! | [`loader`], [`trace`] | the linker of a guest: files and compiled modules; its trace |
//! | [`frames`] | which functions were running when guest code failed |
//! | [`jobs`] | calls that wait for guest code, such as a `dlopen` whose constructor waits |
//! | [`platform`], [`wakeup`] | time and chance; what ends a wait |
//! | [`pipe`], [`stream`] | input and output whose other side is somewhere else |
//! | [`log`] | the Worker's log |
//! | [`object`] | the Durable Object and the Worker before it |
//! | [`interpreter`], [`serve`], [`queue`] | requests answered by a fresh interpreter, or by one that stays |
//! | [`http`], [`pieces`], [`body`] | a request and its answer, as the guest sees them |
//! | [`fetch`] | requests that the guest makes |
//! | [`run`] | `pymode run` and `pymode dl run`, with `--engine workerd` |

mod blob;
mod body;
mod boot;
mod bundle;
mod fetch;
mod frames;
mod guest;
mod http;
mod imports;
mod interpreter;
mod jobs;
mod loader;
mod log;
mod memory_view;
mod object;
mod pieces;
mod pipe;
mod platform;
mod queue;
mod run;
mod serve;
mod stream;
mod trace;
mod wakeup;
