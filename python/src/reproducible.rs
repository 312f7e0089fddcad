//! The last steps, done twice into two directories, give the same bytes.

use std::fs;
use std::path::Path;

use pymode_toolchain::{Cache, Reporter, crates};

use crate::context::BuildContext;
use crate::{
    Error, Options, configured, include, interpreter, libc, link, native, patches, side, source,
    stdlib, tzdata,
};

#[test]
fn linking_and_packing_twice_gives_the_same_bytes() -> Result<(), Error> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()?;
    let context = BuildContext::open(&cache, &reporter)?;
    let source = source::provision(&cache, &reporter)?;
    let crates = crates::sources(&cache, &reporter)?;
    let native = native::provision(&context, &source, &crates)?;
    let source = patches::provision(&context, &source)?;
    let configured = configured::provision(&context, &source, &native)?;
    let interpreter = interpreter::provision(&context, &source, &crates, &configured)?;
    let include = include::provision(&context, &interpreter)?;
    let libc = libc::provision(&context)?;
    let inputs = link::inputs(&context, &interpreter, &include, &libc)?;
    let side = side::provision(&context, &source, &crates, &interpreter)?;
    let zones = tzdata::provision(&context)?;

    let scratch =
        tempfile::tempdir().map_err(Error::io("create", Path::new("a scratch directory")))?;
    let [first, second] = ["first", "second, elsewhere"].map(|name| scratch.path().join(name));
    for dir in [&first, &second] {
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        link::link_into(&context, &inputs, &link::exports(), dir)?;
        let inputs = stdlib::Inputs {
            source: &source,
            native: &native,
            interpreter: &interpreter,
            side: &side,
            zones: &zones,
        };
        stdlib::write_into(&context, inputs, Options::default(), dir)?;
    }
    for file in [
        "python.wasm",
        "python.names.wasm",
        "stdlib.img",
        interpreter::SYSCONFIGDATA,
    ] {
        let [a, b] = [&first, &second]
            .map(|dir| fs::read(dir.join(file)).map_err(Error::io("read", &dir.join(file))));
        assert!(a? == b?, "`{file}` differs");
    }
    Ok(())
}
