//! A makefile for objects of ours: `make` runs the compilers in parallel and stops at the first that fails.

use std::fmt::Write as _;
use std::path::Path;

/// Rules, each one target with its commands. All paths in it are free of blanks, as [`BuildContext::open`] makes sure.
///
/// [`BuildContext::open`]: crate::context::BuildContext::open
#[derive(Debug, Default)]
pub(crate) struct Recipe {
    rules: String,
    targets: Vec<String>,
}

impl Recipe {
    /// Compiles `source` to `object`, in whose directory no other rule writes a file of the same name.
    pub(crate) fn compile(
        &mut self,
        compiler: &str,
        flags: &[String],
        source: &Path,
        object: &str,
    ) {
        let flags = flags
            .iter()
            .map(|flag| quoted(flag))
            .collect::<Vec<_>>()
            .join(" ");
        self.rule(
            object,
            &[],
            &format!("{compiler} {flags} -c {} -o $@", source.display()),
        );
    }

    /// Makes `target` from other targets by one command.
    pub(crate) fn rule(&mut self, target: &str, needs: &[String], command: &str) {
        // A `String` takes whatever is written to it.
        let _ = write!(
            self.rules,
            "\n{target}: {}\n\t@mkdir -p $(@D)\n\t{command}\n",
            needs.join(" ")
        );
        self.targets.push(target.to_owned());
    }

    /// The makefile.
    pub(crate) fn text(&self) -> String {
        format!("all: {}\n{}", self.targets.join(" "), self.rules)
    }
}

/// One word for `sh` inside a makefile.
fn quoted(word: &str) -> String {
    let quoted = shlex::try_quote(word).expect("a flag contains no NUL");
    quoted.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Recipe;

    #[test]
    fn a_recipe_builds_objects_before_what_is_made_of_them() {
        let mut recipe = Recipe::default();
        recipe.compile(
            "cc",
            &["-DX=\"a b\"".into(), "-DD=$".into()],
            Path::new("/src/a.c"),
            "obj/a.o",
        );
        recipe.rule("out.wasm", &["obj/a.o".into()], "ld $^ -o $@");
        assert_eq!(
            recipe.text(),
            "all: obj/a.o out.wasm\n\nobj/a.o: \n\t@mkdir -p $(@D)\n\tcc '-DX=\"a b\"' '-DD=$$' -c /src/a.c -o $@\n\
             \nout.wasm: obj/a.o\n\t@mkdir -p $(@D)\n\tld $^ -o $@\n"
        );
    }
}
