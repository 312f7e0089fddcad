//! Python in a Durable Object.
//!
//! The host is this module, compiled to WebAssembly and instantiated once per isolate. A guest is a running Python or another
//! program: an instance of a main module with a memory, files, streams and linker state of its own.
//!
//! | file | contents |
//! |---|---|
//! | [`bundle`] | the bundle: compiled modules, images, settings |
//! | [`guest`] | a running guest, and the numbers by which guests call the host |
//! | [`boot`] | the start of a guest |
//! | [`memory_view`], [`blob`] | the memory of a guest, and images |
//! | [`imports`] | the functions that guests import: raw exports of this module |
//! | [`loader`], [`trace`] | the linker of a guest: files and compiled modules; its trace |
//! | [`frames`] | failures of guest code |
//! | [`jobs`] | calls that wait for guest code, such as a `dlopen` whose constructor waits |
//! | [`threads`] | the threads of a guest |
//! | [`platform`], [`wakeup`] | clocks, random numbers and timers; the wakeup of a waiting guest |
//! | [`pipe`], [`stream`] | input and output of a guest |
//! | [`log`] | the Worker's log |
//! | [`object`] | the Durable Object and the Worker before it |
//! | [`interpreter`], [`serve`] | requests answered by fresh interpreters, or by one |
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
mod run;
mod serve;
mod stream;
mod threads;
mod trace;
mod wakeup;
