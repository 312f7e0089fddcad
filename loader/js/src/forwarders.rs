//! Bridges without a compiler.
//!
//! What a bridge must do is known only when a library is opened, and then nothing can be compiled any more. So one module
//! of forwarders is compiled with all the others ([`Bridge::common`] says which): each of its functions jumps through the
//! slot that a global of its own holds. A bridge is an instance of it, or several, whose globals are the bridge's; a
//! forwarder that is left over, and one that stands for a symbol that nobody defines, gets a global that leads nowhere. A
//! call costs what it costs through a bridge that was made for it.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Object, Reflect, WebAssembly};
use pymode_dylink::{Bridge, BridgeAction, Fault, Signature};
use wasm_bindgen::prelude::*;

use crate::externs::{JsExtern, fault, get};

/// The compiled module of forwarders.
pub struct Forwarders {
    module: WebAssembly::Module,
    /// The types of its functions, which are exported as `0`, `1`, ….
    signatures: Box<[Arc<Signature>]>,
}

impl Forwarders {
    /// `bridge` is what `module` was made of.
    #[must_use]
    pub fn new(module: WebAssembly::Module, bridge: &Bridge) -> Forwarders {
        let signatures = bridge.functions.iter();
        Forwarders {
            module,
            signatures: signatures
                .map(|function| Arc::clone(&function.signature))
                .collect(),
        }
    }
}

/// A bridge, as functions of some instances of the forwarders.
pub(crate) struct Placed {
    forwarders: Rc<Forwarders>,
    /// For each instance, what its functions do: the place of a global among the bridge's imports, or nothing.
    instances: Vec<Vec<Option<usize>>>,
    /// For each function of the bridge: the instance, and which of its functions.
    places: Vec<(usize, usize)>,
}

impl Placed {
    pub(crate) fn new(forwarders: Rc<Forwarders>, bridge: &Bridge) -> Result<Placed, Fault> {
        let signatures = &forwarders.signatures;
        // Instances, and whether each of their functions is taken.
        let mut taken: Vec<Vec<bool>> = Vec::new();
        let mut instances: Vec<Vec<Option<usize>>> = Vec::new();
        let mut places = Vec::with_capacity(bridge.functions.len());
        // The first import is the table.
        let mut global = 1;
        for function in &bridge.functions {
            let fits = |at: &usize| signatures[*at] == function.signature;
            let free = taken.iter().enumerate().find_map(|(instance, taken)| {
                let free = (0..signatures.len()).find(|at| fits(at) && !taken[*at])?;
                Some((instance, free))
            });
            let (instance, at) = match free {
                Some(place) => place,
                None => {
                    let at = (0..signatures.len()).find(fits).ok_or_else(|| {
                        Fault(format!(
                            "`{}` must be forwarded, and the bundle has no forwarder of its type {}\n  hint: have the library where the bundle is made",
                            function.name, function.signature
                        ))
                    })?;
                    taken.push(vec![false; signatures.len()]);
                    instances.push(vec![None; signatures.len()]);
                    (taken.len() - 1, at)
                }
            };
            taken[instance][at] = true;
            if function.action == BridgeAction::Forward {
                instances[instance][at] = Some(global);
                global += 1;
            }
            places.push((instance, at));
        }
        Ok(Placed {
            forwarders,
            instances,
            places,
        })
    }

    /// Instantiates it with the table and one global for each forward: its functions.
    pub(crate) fn instantiate(
        &self,
        imports: &[JsExtern],
        main: &Object,
    ) -> Result<Vec<JsValue>, Fault> {
        let env = Object::new();
        let table = imports
            .first()
            .ok_or_else(|| Fault::new("a bridge needs the table"))?;
        set(&env, "__indirect_function_table", &table.value(main)?)?;
        let mut exports = Vec::with_capacity(self.instances.len());
        for globals in &self.instances {
            let got = Object::new();
            for (at, global) in globals.iter().enumerate() {
                let global = match global {
                    Some(global) => imports
                        .get(*global)
                        .ok_or_else(|| Fault::new("a bridge lacks a global"))?
                        .value(main)?,
                    None => NOWHERE.with(JsValue::clone),
                };
                set(&got, &at.to_string(), &global)?;
            }
            let all = Object::new();
            set(&all, "env", &env)?;
            set(&all, "GOT.func", &got)?;
            let instance = WebAssembly::Instance::new(&self.forwarders.module, &all);
            exports.push(instance.map_err(fault)?.exports());
        }
        let functions = self.places.iter().map(|(instance, at)| {
            get(&exports[*instance], &at.to_string())
                .ok_or_else(|| Fault::new("a forwarder is missing"))
        });
        functions.collect()
    }
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), Fault> {
    Reflect::set(object, &name.into(), value).map_err(fault)?;
    Ok(())
}

thread_local! {
    /// A slot that no table has: a call through it traps.
    static NOWHERE: JsValue = crate::engine::variable(u32::MAX)
        .map_or(JsValue::UNDEFINED, Into::into);
}
