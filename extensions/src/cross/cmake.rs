//! The toolchain file for CMake, passed in `CMAKE_TOOLCHAIN_FILE`.

use std::path::Path;

/// The toolchain file, next to the compilers' directory `bin`.
pub(super) fn toolchain_file(native: &Path, include: &Path) -> String {
    let (native, include) = (text(native), text(include));
    let mut file = String::from(
        "set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER ${CMAKE_CURRENT_LIST_DIR}/bin/pymode-cc)
set(CMAKE_CXX_COMPILER ${CMAKE_CURRENT_LIST_DIR}/bin/pymode-c++)
set(CMAKE_AR ${CMAKE_CURRENT_LIST_DIR}/bin/pymode-ar CACHE FILEPATH \"\")
set(CMAKE_RANLIB ${CMAKE_CURRENT_LIST_DIR}/bin/pymode-ranlib CACHE FILEPATH \"\")
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/bin/pymode-run)
set(CMAKE_STRIP ${CMAKE_CURRENT_LIST_DIR}/bin/pymode-strip CACHE FILEPATH \"\")

# What lies in this machine's directories is for this machine.
set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH FALSE)
set(CMAKE_FIND_USE_PACKAGE_REGISTRY FALSE)
set(PKG_CONFIG_EXECUTABLE ${CMAKE_CURRENT_LIST_DIR}/path/pkg-config CACHE FILEPATH \"\")

# CMake does not know the system: neither that it has shared libraries, nor that libc is all there is to link.
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS TRUE)
set(CMAKE_SHARED_LIBRARY_CREATE_C_FLAGS -shared)
set(CMAKE_SHARED_LIBRARY_CREATE_CXX_FLAGS -shared)
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG -Wl,-rpath,)
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG_SEP :)

",
    );
    for prefix in ["Python", "Python3"] {
        file.push_str(&format!(
            "set({prefix}_EXECUTABLE {native} CACHE FILEPATH \"\")
set({prefix}_INCLUDE_DIR {include} CACHE PATH \"\")
"
        ));
    }
    file
}

/// Quotes a path for CMake as a bracket argument, in which no character is special.
fn text(path: &Path) -> String {
    format!("[==[{}]==]", path.display())
}
