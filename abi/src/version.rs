//! The version of the contract, and the names that carry it.

macro_rules! contract {
    ($version:literal) => {
        /// The version of the contract. It increases when an older module no longer fits.
        pub const VERSION: u32 = $version;

        /// The suffix of an extension module of this version; plain `.wasm` is accepted as well.
        pub const EXT_SUFFIX: &str = concat!(".cpython-313-wasm32-pymode", $version, ".wasm");

        /// The platform tag of a wheel with side modules of this version.
        pub const PLATFORM_TAG: &str = concat!("pymode_", $version, "_wasm32");

        /// The full tag of such a wheel: interpreter, C API, platform.
        pub const WHEEL_TAG: &str = concat!("cp313-cp313-pymode_", $version, "_wasm32");
    };
}

contract!(1);

/// The custom section with [`VERSION`] as an unsigned LEB128 number, and nothing else.
pub const SECTION: &str = "pymode.abi";
