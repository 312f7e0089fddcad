//! Python in a Durable Object of a local workerd, against a minimal Durable Object.
//!
//! A Worker's clock has milliseconds and stands still while it computes, so everything is timed from outside, over HTTP.
//! Short operations are repeated many times in one request.

mod modules;
mod served;

use std::error::Error;
use std::path::PathBuf;

use pymode_ext::{Builder, Spec, Target};
use pymode_python::{Built, Options};
use pymode_workerd::{Bundle, Module, ModuleKind, Project, Python, Settings, WorkerMode};
use tempfile::TempDir;

use super::{Bench, Outcome};
use served::{Client, Cost, Served, cold};

const EMPTY: &str = include_str!("../../workers/empty.js");
const PRINT: &str = include_str!("../../workers/print.py");
const BOTH: &str = include_str!("../../workers/both.py");
const LOAD: &str = include_str!("../../workers/load.py");
const WAIT: &str = include_str!("../../workers/wait.py");
const WAIT_BARE: &str = include_str!("../../workers/wait.js");
const IMPORT: &str = include_str!("../../workers/import.py");

/// Name of an empty object in reports.
const BASELINE: &str = "empty JavaScript object";

/// The packages of the demo.
const PACKAGES: [&str; 2] = ["markupsafe==3.0.4", "simplejson==4.3.0"];

/// The tools that build bundles.
struct Bundler {
    built: Built,
    python: Python,
    dir: TempDir,
}

impl Bundler {
    fn open(bench: &Bench) -> Result<Bundler, Box<dyn Error>> {
        let options = Options {
            docstrings: false,
            ..Options::default()
        };
        let built = pymode_python::build(&bench.cache, &bench.reporter, options)?;
        let python = Python::open(&bench.cache, &bench.reporter, &built.wasm, &built.image)?;
        let dir = tempfile::tempdir_in(python.scratch())?;
        Ok(Bundler { built, python, dir })
    }

    /// A project of one module and some files, bundled for deployment.
    fn bundle(
        &self,
        name: &str,
        entry: &str,
        mode: WorkerMode,
        sites: &[PathBuf],
        files: &[(String, Vec<u8>)],
    ) -> Result<Bundle, Box<dyn Error>> {
        let sources = self.dir.path().join(format!("{name}-src"));
        std::fs::create_dir(&sources)?;
        std::fs::write(sources.join("entry.py"), entry)?;
        for (name, bytes) in files {
            std::fs::write(sources.join(name), bytes)?;
        }
        let settings = Settings {
            mode,
            ..Settings::default()
        };
        let project = Project {
            sources: &sources,
            sites,
            settings: &settings,
            development: false,
            traces_loads: false,
        };
        let packed = self.dir.path().join(format!("{name}-packed"));
        Ok(self.python.bundle(&self.built.native, &project, &packed)?)
    }

    fn compile(&self, name: &str, bundle: &Bundle) -> Result<Served, Box<dyn Error>> {
        let dir = self.dir.path().join(name);
        Ok(Served::new(self.python.compile(bundle, &dir)?))
    }

    fn empty(&self) -> Result<Served, Box<dyn Error>> {
        self.script("empty", EMPTY)
    }

    /// An object in JavaScript.
    fn script(&self, name: &str, text: &str) -> Result<Served, Box<dyn Error>> {
        let entry = Module::bytes("entry.js", ModuleKind::Script, text.into());
        let bundle = Bundle::of(vec![entry]).with_object("PythonObject");
        self.compile(name, &bundle)
    }
}

fn sites(bench: &Bench, built: &Built) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let target = Target::from(built);
    let builder = Builder::new(&bench.cache, &bench.reporter, target, &bench.pymode);
    let specs: Vec<Spec> = PACKAGES
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    Ok(builder.site(&specs)?)
}

/// Time from the start of the process to the first answer, and its memory.
pub(crate) fn start(bench: &Bench) -> Outcome {
    let shop = Bundler::open(bench)?;
    let empty = shop.empty()?;
    let sites = sites(bench, &shop.built)?;
    let mut samples = Vec::new();
    for (what, entry, sites) in [
        ("print(1)", PRINT, &[][..]),
        ("markupsafe and simplejson", BOTH, &sites[..]),
    ] {
        let name = what.split('(').next().unwrap_or(what).replace(' ', "-");
        let bundle = shop.bundle(&name, entry, WorkerMode::Persistent, sites, &[])?;
        for share in bundle.shares()? {
            eprintln!("  {what}: {} {} {}", share.what, share.raw, share.gzipped);
        }
        let subject = shop.compile(&name, &bundle)?;
        samples.extend(cold(bench.runs, what, &subject, &empty)?);
    }
    Ok(samples)
}

/// Number of requests per measurement.
const REQUESTS: u32 = 100;

/// A request to an object that already exists.
pub(crate) fn request(bench: &Bench) -> Outcome {
    let shop = Bundler::open(bench)?;
    let empty = shop.empty()?.start()?;
    let mut samples = Vec::new();
    for (mode, what, requests) in [
        (WorkerMode::Persistent, "one interpreter stays", REQUESTS),
        (
            WorkerMode::Request,
            "a fresh interpreter each",
            REQUESTS / 10,
        ),
    ] {
        let name = format!("request-{what}").replace(' ', "-");
        let bundle = shop.bundle(&name, PRINT, mode, &[], &[])?;
        let subject = shop.compile(&name, &bundle)?.start()?;
        let (subject, baseline) = (Client::new(&subject), Client::new(&empty));
        // Until the engine has compiled the hot code.
        subject.each("/", 3 * requests)?;
        baseline.each("/", 3 * REQUESTS)?;
        let costs: Vec<(Cost, Cost)> = (0..bench.runs)
            .map(|_| Ok((subject.each("/", requests)?, baseline.each("/", REQUESTS)?)))
            .collect::<Result<_, Box<dyn Error>>>()?;
        let case = format!("request, {what}");
        samples.extend(served::samples(&case, "Python", BASELINE, &costs));
    }
    Ok(samples)
}

/// Modules to import first: one in Python, one in C, and the packages of the demo.
const FIRST_IMPORTS: [&str; 4] = ["json", "decimal", "markupsafe", "simplejson"];

/// An import in an interpreter that has imported only the handler's modules.
pub(crate) fn import(bench: &Bench) -> Outcome {
    let shop = Bundler::open(bench)?;
    let sites = sites(bench, &shop.built)?;
    let bundle = shop.bundle("import", IMPORT, WorkerMode::Request, &sites, &[])?;
    let served = shop.compile("import", &bundle)?.start()?;
    let client = Client::new(&served);
    let mut samples = Vec::new();
    for name in FIRST_IMPORTS {
        let path = format!("/{name}");
        let (count, subject) = (REQUESTS / 10, format!("fresh interpreter, import {name}"));
        client.each(&path, count)?;
        let costs: Vec<(Cost, Cost)> = (0..bench.runs)
            .map(|_| Ok((client.each(&path, count)?, client.each("/", count)?)))
            .collect::<Result<_, Box<dyn Error>>>()?;
        let case = format!("first import of {name}");
        samples.extend(served::samples(&case, &subject, "the same without", &costs));
    }
    Ok(samples)
}

/// Number of waits per measurement.
const WAITS: usize = 200;

/// A wait of no time: out of the guest, a turn of the event loop, and back.
pub(crate) fn wait(bench: &Bench) -> Outcome {
    let shop = Bundler::open(bench)?;
    let bundle = shop.bundle("wait", WAIT, WorkerMode::Persistent, &[], &[])?;
    let subject = shop.compile("wait-python", &bundle)?.start()?;
    let baseline = shop.script("wait-bare", WAIT_BARE)?.start()?;
    let (subject, baseline) = (Client::new(&subject), Client::new(&baseline));
    let all = format!("/?count={WAITS}");
    let one = |client: &Client| -> Result<Cost, Box<dyn Error>> {
        let (all, none) = (client.each(&all, 1)?, client.each("/?count=0", 1)?);
        Ok(all.more_than(none, WAITS))
    };
    one(&subject)?;
    one(&baseline)?;
    let costs: Vec<(Cost, Cost)> = (0..bench.runs)
        .map(|_| Ok((one(&subject)?, one(&baseline)?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let samples = served::samples("wait of no time", "Python", "JavaScript", &costs);
    Ok(samples.into_iter().collect())
}

/// Numbers of imported functions: about markupsafe's, and about numpy's.
const IMPORTS: [usize; 2] = [60, 568];
/// Number of libraries per measurement.
const LIBRARIES: usize = 200;

/// `dlopen` and `dlsym` through CPython's import system, against a bare `new WebAssembly.Instance`.
pub(crate) fn dlopen(bench: &Bench) -> Outcome {
    let shop = Bundler::open(bench)?;
    let mut samples = Vec::new();
    for imports in IMPORTS {
        let sides: Vec<(String, Vec<u8>)> = (0..LIBRARIES)
            .map(|number| {
                let name = format!("m{number}");
                Ok((format!("{name}.wasm"), modules::side(&name, imports)?))
            })
            .collect::<Result<_, wat::Error>>()?;
        let name = format!("dlopen-{imports}");
        // Each fresh interpreter loads all of them again, while the isolate keeps the compiled code.
        let bundle = shop.bundle(&name, LOAD, WorkerMode::Request, &[], &sides)?;
        let subject = shop.compile(&name, &bundle)?.start()?;
        let bare = modules::bare(&bundle, &sides);
        let baseline = shop.compile(&format!("bare-{imports}"), &bare)?.start()?;
        let (subject, baseline) = (Client::new(&subject), Client::new(&baseline));
        let all = format!("/?count={LIBRARIES}");
        for client in [&subject, &baseline] {
            client.each(&all, 5)?;
        }
        // Subtracts the time of a request that loads nothing.
        let one = |client: &Client| -> Result<Cost, Box<dyn Error>> {
            let (all, none) = (client.each(&all, 5)?, client.each("/?count=0", 5)?);
            Ok(all.more_than(none, LIBRARIES))
        };
        let costs: Vec<(Cost, Cost)> = (0..bench.runs)
            .map(|_| Ok((one(&subject)?, one(&baseline)?)))
            .collect::<Result<_, Box<dyn Error>>>()?;
        let case = format!("extension module with {imports} imports, each of {LIBRARIES}");
        let (subject, baseline) = ("dlopen, dlsym, PyInit", "bare instantiation");
        samples.extend(served::samples(&case, subject, baseline, &costs));
    }
    Ok(samples)
}
