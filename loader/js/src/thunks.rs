//! Thunks without a compiler.
//!
//! The thunks that are needed are known only when a library is opened, and then nothing can be compiled any more. So one module
//! of common thunks is compiled with all the others ([`ThunkModule::common`] makes it): each of its functions jumps through the
//! slot that a global of its own holds. A thunk module is an instance of it, or several, whose globals are the thunks'; a
//! function that is left over, and one that stands for a symbol that no module defines, gets a global that leads nowhere. A call
//! costs the same as through a thunk that was made for it.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::{Object, Reflect, WebAssembly};
use pymode_dylink::{Signature, ThunkAction, ThunkModule};
use wasm_bindgen::prelude::*;

use crate::error::{JsEngineError, JsFailure};
use crate::externs::{JsExtern, get};

/// The compiled module of common thunks.
pub struct CommonThunks {
    module: WebAssembly::Module,
    /// The types of its functions, which are exported as `0`, `1`, ….
    signatures: Box<[Arc<Signature>]>,
}

impl CommonThunks {
    /// `thunks` is what `module` was made of.
    #[must_use]
    pub fn new(module: WebAssembly::Module, thunks: &ThunkModule) -> CommonThunks {
        let signatures = thunks.functions.iter();
        CommonThunks {
            module,
            signatures: signatures
                .map(|function| Arc::clone(&function.signature))
                .collect(),
        }
    }
}

/// A thunk module, as functions of some instances of the common thunks.
pub(crate) struct Placed {
    common: Rc<CommonThunks>,
    /// For each instance, what its functions do: the place of a global among the imports, or nothing.
    instances: Vec<Vec<Option<usize>>>,
    /// For each thunk: the instance, and which of its functions.
    places: Vec<(usize, usize)>,
}

impl Placed {
    pub(crate) fn new(
        common: Rc<CommonThunks>,
        thunks: &ThunkModule,
    ) -> Result<Placed, JsEngineError> {
        let signatures = &common.signatures;
        // Instances, and whether each of their functions is taken.
        let mut taken: Vec<Vec<bool>> = Vec::new();
        let mut instances: Vec<Vec<Option<usize>>> = Vec::new();
        let mut places = Vec::with_capacity(thunks.functions.len());
        // The first import is the table.
        let mut global = 1;
        for function in &thunks.functions {
            let fits = |at: &usize| signatures[*at] == function.signature;
            let free = taken.iter().enumerate().find_map(|(instance, taken)| {
                let free = (0..signatures.len()).find(|at| fits(at) && !taken[*at])?;
                Some((instance, free))
            });
            let (instance, at) = match free {
                Some(place) => place,
                None => {
                    let at =
                        (0..signatures.len())
                            .find(fits)
                            .ok_or_else(|| JsFailure::NoThunk {
                                name: function.name.clone(),
                                signature: Box::new((*function.signature).clone()),
                            })?;
                    taken.push(vec![false; signatures.len()]);
                    instances.push(vec![None; signatures.len()]);
                    (taken.len() - 1, at)
                }
            };
            taken[instance][at] = true;
            if function.action == ThunkAction::Forward {
                instances[instance][at] = Some(global);
                global += 1;
            }
            places.push((instance, at));
        }
        Ok(Placed {
            common,
            instances,
            places,
        })
    }

    /// Instantiates it with the table and one global for each forward, and returns its functions.
    pub(crate) fn instantiate(
        &self,
        imports: &[JsExtern],
        main: &Object,
    ) -> Result<Vec<JsValue>, JsEngineError> {
        let env = Object::new();
        let table = imports
            .first()
            .ok_or_else(|| JsEngineError::expected("a table"))?;
        set(&env, "__indirect_function_table", &table.value(main)?)?;
        let mut exports = Vec::with_capacity(self.instances.len());
        for globals in &self.instances {
            let got = Object::new();
            for (at, global) in globals.iter().enumerate() {
                let global = match global {
                    Some(global) => imports
                        .get(*global)
                        .ok_or_else(|| JsEngineError::expected("a global"))?
                        .value(main)?,
                    None => NOWHERE.with(JsValue::clone),
                };
                set(&got, &at.to_string(), &global)?;
            }
            let all = Object::new();
            set(&all, "env", &env)?;
            set(&all, "GOT.func", &got)?;
            let instance = WebAssembly::Instance::new(&self.common.module, &all);
            exports.push(instance?.exports());
        }
        let functions = self.places.iter().map(|(instance, at)| {
            let name = at.to_string();
            let function = get(&exports[*instance], &name);
            function.ok_or_else(|| JsFailure::Missing { name }.into())
        });
        functions.collect()
    }
}

fn set(object: &Object, name: &str, value: &JsValue) -> Result<(), JsEngineError> {
    Reflect::set(object, &name.into(), value)?;
    Ok(())
}

thread_local! {
    /// A slot that no table has: a call through it traps.
    static NOWHERE: JsValue = crate::engine::variable(u32::MAX)
        .map_or(JsValue::UNDEFINED, Into::into);
}
