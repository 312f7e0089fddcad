//! The last steps, done twice into two directories, give the same bytes.

use std::fs;
use std::path::Path;

use pymode_toolchain::{Cache, Reporter};

use crate::context::BuildContext;
use crate::{Error, Options, interpreter, link, linkable, stdlib};

#[test]
fn linking_and_packing_twice_gives_the_same_bytes() -> Result<(), Error> {
    let reporter = Reporter::stderr();
    let cache = Cache::open()?;
    let context = BuildContext::open(&cache, &reporter)?;
    let linkable = linkable(&context)?;
    let parts = linkable.library_parts(&context)?;

    let scratch =
        tempfile::tempdir().map_err(Error::io("create", Path::new("a scratch directory")))?;
    let [first, second] = ["first", "second, elsewhere"].map(|name| scratch.path().join(name));
    for dir in [&first, &second] {
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        link::link_into(&context, &linkable.link_inputs, &link::exports(), dir)?;
        let inputs = linkable.library_inputs(&parts);
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
