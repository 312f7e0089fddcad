//! The cross file for meson.

use std::path::Path;

/// The cross file, next to the compilers' directory `bin`.
pub(super) fn cross_file(native: &Path) -> String {
    let native = text(native);
    format!(
        "[binaries]
c = '@DIRNAME@/bin/pymode-cc'
cpp = '@DIRNAME@/bin/pymode-c++'
ar = '@DIRNAME@/bin/pymode-ar'
ranlib = '@DIRNAME@/bin/pymode-ranlib'
strip = '@DIRNAME@/bin/pymode-strip'
exe_wrapper = '@DIRNAME@/bin/pymode-run'
python = {native}
pkg-config = '@DIRNAME@/path/pkg-config'
# It would look on this machine.
cmake = 'false'
# In the PATH when a build requires them; what they tell of is the guest's.
numpy-config = 'numpy-config'
pybind11-config = 'pybind11-config'

[host_machine]
system = 'wasi'
cpu_family = 'wasm32'
cpu = 'wasm32'
endian = 'little'

[properties]
needs_exe_wrapper = true
# clang's long double on this target, by the name that numpy has for it.
longdouble_format = 'IEEE_QUAD_LE'
"
    )
}

/// Quotes a path for meson.
fn text(path: &Path) -> String {
    let path = path.to_string_lossy();
    format!("'{}'", path.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_text() {
        assert_eq!(text(Path::new(r"/a b/it's\x")), r"'/a b/it\'s\\x'");
    }
}
