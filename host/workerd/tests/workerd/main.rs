//! Python in a Durable Object, in a real workerd.

mod app;
mod fetch;
mod memory;
mod modules;
mod persistent;
mod requests;
mod server;
