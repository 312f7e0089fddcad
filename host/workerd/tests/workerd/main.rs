//! Python in a Durable Object, in a real workerd.

mod app;
mod fetch;
mod modules;
mod persistent;
mod requests;
mod server;
