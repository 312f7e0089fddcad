//! Python in a Durable Object, in a real workerd.

mod absent;
mod app;
mod fetch;
mod http;
mod memory;
mod modules;
mod persistent;
mod requests;
mod server;
