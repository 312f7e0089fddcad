//! The entry: the JavaScript that ties a bundle's modules together.

use std::fmt::Write as _;

use pymode_bundle::names::{OBJECT, field, file};

/// The parts of the entry that depend on the bundle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) imports: String,
    pub(crate) thunks: String,
    pub(crate) images: String,
    pub(crate) sides: String,
    pub(crate) development: bool,
    /// `true` if errors show the whole stack, not only the last ten functions.
    pub(crate) has_long_traces: bool,
}

impl Entry {
    pub(crate) fn import(&mut self, name: &str, module: &str) {
        let _ = writeln!(self.imports, "import {name} from \"./{module}\";");
    }

    /// Adds a module that is compiled when it is first imported.
    pub(crate) fn side(&mut self, key: &str, module: &str) {
        let _ = writeln!(self.sides, "  {key:?}: () => import(\"./{module}\"),");
    }

    pub(crate) fn text(&self) -> String {
        format!("{}export default {{ fetch: glue.fetch }};\n", self.body())
    }

    /// Returns the entry without its handler.
    pub(crate) fn body(&self) -> String {
        let Entry {
            imports,
            thunks,
            images,
            sides,
            development,
            has_long_traces,
        } = self;
        // Shows in development which modules a program needs.
        let log = if *development {
            format!(
                "console.debug(`pymode: compiled {}`);",
                file::side("${key}")
            )
        } else {
            String::new()
        };
        let traces = match has_long_traces {
            true => "Error.stackTraceLimit = Infinity;",
            false => "",
        };
        format!(
            r#"// Made by pymode: ties the modules of this Worker together.
import * as glue from "./{glue}";
{imports}
// Fetched and compiled when they are first imported.
const sides = {{
{sides}}};

const {{ exports }} = new WebAssembly.Instance(host, {{ {glue_imports:?}: glue }});
glue.__wbg_set_wasm(exports);
exports.__wbindgen_start();
{traces}
glue.setBundle({{
  {main},
  {plan},
  {settings},
  {memory_view},
  {thunks_field}: {{
{thunks}  }},
  {images_field}: [
{images}  ],
  {side}: async (key) => {{
    let found;
    try {{
      found = (await sides[key]()).default;
    }} catch (error) {{
      if (error instanceof WebAssembly.CompileError) throw error;
      throw new Error(`its compiled form, {side_file}, is not in the Worker's bundle\n  hint: deploy all that \`pymode build\` writes`);
    }}
    {log}
    return found;
  }},
}});

export const {OBJECT} = glue.{OBJECT};
"#,
            glue = file::GLUE,
            glue_imports = file::GLUE_IMPORTS,
            main = field::MAIN,
            plan = field::PLAN,
            settings = field::SETTINGS,
            memory_view = field::MEMORY_VIEW,
            thunks_field = field::THUNKS,
            images_field = field::IMAGES,
            side = field::SIDE,
            side_file = file::side("${key}"),
        )
    }
}
