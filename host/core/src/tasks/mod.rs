//! Tasks of a host with one thread: jobs that wait, and a queue for places.

mod jobs;
mod queue;

pub use jobs::{JobNumber, Jobs};
pub use queue::{Queue, Turn};
