//! Python in a Durable Object, in a real workerd.

mod app;
mod modules;
mod persistent;
mod requests;
