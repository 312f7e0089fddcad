//! workerd's configuration, in Cap'n Proto's text format.

use std::fmt::Write as _;

use pymode_bundle::names::BINDING;

use crate::bundle::{Bundle, COMPATIBILITY_DATE, ModuleKind};

/// The socket's name.
pub(super) const SOCKET: &str = "http";

/// Returns a configuration for the bundle's modules, with objects in memory.
pub(super) fn capnp(bundle: &Bundle) -> String {
    let mut modules = String::new();
    for module in bundle.modules() {
        let kind = match module.kind {
            ModuleKind::Script => "esModule",
            ModuleKind::Wasm => "wasm",
            ModuleKind::Data => "data",
        };
        let _ = writeln!(
            modules,
            "    (name = {0:?}, {kind} = embed {0:?}),",
            module.name
        );
    }
    let object = bundle.object.map_or_else(String::new, |class| {
        format!(
            r#"  bindings = [(name = "{BINDING}", durableObjectNamespace = "{class}")],
  durableObjectNamespaces = [(className = "{class}", uniqueKey = "pymode", enableSql = true)],
  durableObjectStorage = (inMemory = void),
"#
        )
    });
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    # A local Worker may use local servers.
    (name = "internet", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [(name = "{SOCKET}", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [
{modules}  ],
  compatibilityDate = "{COMPATIBILITY_DATE}",
{object});
"#
    )
}
