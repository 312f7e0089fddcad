//! The text of one adapter: it has the type that the caller uses, and calls the function as what that is.

use std::ops::Range;

use super::signature::{CSignature, Value};

/// A function that is called by an adapter.
#[derive(Debug)]
pub(super) struct Adapter {
    pub(super) place: Range<usize>,
    /// The type that the expression has.
    pub(super) target: String,
    /// The expression, as it was written, and the name in it.
    pub(super) original: String,
    pub(super) name: Option<String>,
    /// The type that the caller uses, and the type of the function.
    pub(super) called: CSignature,
    pub(super) wants: CSignature,
    pub(super) is_implicit: bool,
    /// The expression is a `PyCFunction`. If it is a variable, its holder knows the type from the method's flags.
    pub(super) is_method: bool,
}

pub(super) fn name(n: usize) -> String {
    format!("pymode_adapter_{n}")
}

impl Adapter {
    fn parameters(&self) -> String {
        let all = self.called.parameters.iter().enumerate();
        match self.called.parameters.is_empty() {
            true => "void".to_owned(),
            false => all
                .map(|(n, value)| format!("{} p{n}", value.c()))
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    pub(super) fn head(&self, n: usize) -> String {
        format!(
            "{} {}({})",
            self.called.result_type(),
            name(n),
            self.parameters()
        )
    }

    /// An assertion in C: a variable of the same name may hold another function when the adapter is called.
    pub(super) fn is_a_function(&self) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        format!(
            "_Static_assert(__builtin_types_compatible_p(__typeof__({name}), __typeof__(*({name}))), \"\"); "
        )
    }

    pub(super) fn lambda(&self) -> String {
        format!(
            "(({})+[]({}) -> {} {{ {} }})",
            self.target,
            self.parameters(),
            self.called.result_type(),
            self.body(&self.original)
        )
    }

    /// Calls the function as it wants to be called.
    pub(super) fn body(&self, function: &str) -> String {
        let given = &self.called.parameters;
        let convert = |n: usize, value: Value, to: Value| {
            let values = value.convert(to, &format!("p{n}"));
            values.unwrap_or_default()
        };
        let values: Vec<String> = self
            .wants
            .parameters
            .iter()
            .enumerate()
            .map(|(n, taken)| match given.get(n) {
                Some(value) => convert(n, *value, *taken),
                // What a native machine would find in a register, by chance.
                None => "0".to_owned(),
            })
            .collect();
        let unused: String = (values.len()..given.len())
            .map(|n| format!("(void)p{n}; "))
            .collect();
        let call = format!(
            "(({})({function}))({})",
            self.wants.pointer(),
            values.join(", ")
        );
        match (self.wants.result, self.called.result) {
            (Some(value), Some(taken)) => {
                let call = value.convert(taken, &call).unwrap_or_default();
                format!("{unused}return {call};")
            }
            (None, Some(_)) => format!("{unused}{call}; return 0;"),
            (_, None) => format!("{unused}{call};"),
        }
    }
}
