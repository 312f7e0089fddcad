//! Environment markers, evaluated for the guest: uv resolves for every platform and leaves the choice to us.

use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder, MarkerTree, VerbatimUrl};

const FULL_VERSION: &str = pymode_python::SOURCE_VERSION;

/// The deepest nesting of parentheses. The parser recurses, and a marker is hostile input.
const DEEPEST: usize = 64;

/// A marker that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid marker `{marker}`: {reason}")]
pub(crate) struct MarkerError {
    marker: String,
    reason: String,
}

/// Returns `true` if a marker holds in the guest, without any extra. As in uv, only the release parts
/// of Python's versions count, because a marker with a pre-release has no exact complement.
///
/// # Errors
/// When it is not a marker.
pub(crate) fn holds(marker: &str) -> Result<bool, MarkerError> {
    let wrong = |reason: String| MarkerError {
        marker: marker.to_owned(),
        reason,
    };
    if !is_shallow(marker) {
        return Err(wrong(format!("more than {DEEPEST} nested parentheses")));
    }
    let tree = MarkerTree::parse_str::<VerbatimUrl>(marker).map_err(|e| wrong(reason(&e)))?;
    Ok(tree_holds(&tree))
}

/// Returns `true` if a parsed marker holds in the guest.
pub(crate) fn tree_holds(tree: &MarkerTree) -> bool {
    tree.evaluate(&environment(), &[])
}

/// Returns `true` if the text nests its parentheses no deeper than the parser can follow.
pub(crate) fn is_shallow(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().all(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= DEEPEST
    })
}

/// The parser's reason, as the end of a sentence of ours.
pub(crate) fn reason(error: &pep508_rs::Pep508Error<VerbatimUrl>) -> String {
    let text = error.message.to_string();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_ascii_lowercase().to_string() + letters.as_str(),
        None => text,
    }
}

/// The guest, as `packaging.markers.default_environment()` describes it there.
fn environment() -> MarkerEnvironment {
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: FULL_VERSION,
        os_name: "posix",
        platform_machine: "wasm32",
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "wasi",
        platform_version: "",
        python_full_version: FULL_VERSION,
        python_version: "3.13",
        sys_platform: "wasi",
    })
    .expect("the versions above are constants")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_hold_or_not_in_the_guest() {
        for (marker, value) in [
            ("sys_platform == 'wasi'", true),
            ("sys_platform == 'win32' or os_name == \"posix\"", true),
            ("python_version < '3.9'", false),
            ("python_version >= '3.9'", true),
            ("python_full_version < '3.13.0b1'", false),
            ("python_full_version >= '3.13.0rc1'", true),
            ("implementation_version > '3.13.0.post1'", true),
            ("python_version == '3.*'", true),
            ("python_version ~= '3.10'", true),
            ("python_version in '3.12 3.13'", true),
            ("python_version not in '2.7 3.2'", true),
            ("'linux' in sys_platform", false),
            (
                "'linux' not in sys_platform and (python_version > '3' or os_name == 'x')",
                true,
            ),
            ("extra == 'test'", false),
            ("platform_python_implementation != 'PyPy'", true),
            ("'3.12' <= python_version", true),
        ] {
            assert_eq!(holds(marker), Ok(value), "{marker}");
        }
    }

    #[test]
    fn invalid_markers_are_refused() {
        for marker in [
            "",
            "sys_platform",
            "sys_platform == ",
            "nonsense == '1'",
            "os_name == 'a' b",
            "(os_name == 'x'",
            "'a",
        ] {
            assert!(holds(marker).is_err(), "{marker}");
        }
        let deep = "(".repeat(10_000);
        assert!(holds(&deep).is_err_and(|e| e.reason.contains("nested")));
    }
}
