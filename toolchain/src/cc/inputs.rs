//! The words of a link line.

use std::path::Path;

use super::linker::{Input, LinkArgs};

/// The words of the link line, with each `-lNAME` that lies in one of its directories as that file: the first that there is
/// of `libNAME` with one of the `suffixes`, in their order.
pub(super) fn found_libraries(link: &LinkArgs, suffixes: &[&str]) -> Vec<String> {
    let dirs: Vec<&str> = search_dirs(link).collect();
    let find = |name: &str| {
        let paths = dirs.iter().flat_map(|dir| {
            let suffixes = suffixes.iter();
            suffixes.map(move |suffix| format!("{dir}/lib{name}.{suffix}"))
        });
        paths.into_iter().find(|path| Path::new(path).is_file())
    };
    link.inputs
        .iter()
        .map(|input| match input {
            Input::File(word) | Input::Flag(word) => word.clone(),
            Input::Library(name) => find(name).unwrap_or_else(|| format!("-l{name}")),
            Input::SearchDir(dir) => format!("-L{dir}"),
        })
        .collect()
}

/// The directories of `-L`.
pub(super) fn search_dirs(link: &LinkArgs) -> impl Iterator<Item = &str> {
    link.inputs.iter().filter_map(|input| match input {
        Input::SearchDir(dir) => Some(dir.as_str()),
        _ => None,
    })
}
