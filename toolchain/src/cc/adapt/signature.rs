//! The types of functions, as WebAssembly sees them.

/// A type of WebAssembly's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    I32,
    I64,
    F32,
    F64,
}

impl Value {
    /// The value type of a type of C, as clang prints it; none for a structure, and for a type that is not known.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let is_pointer = text.ends_with(['*', '&'])
            || text.contains("(*)")
            || ["*const", "*restrict", "*__restrict", "*volatile"]
                .iter()
                .any(|end| text.ends_with(end));
        if is_pointer || text.starts_with("enum ") {
            return Some(Self::I32);
        }
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|word| !["const", "volatile", "signed", "unsigned"].contains(word))
            .collect();
        match words[..] {
            // `unsigned` alone.
            [] if text.ends_with("signed") => Some(Self::I32),
            ["int" | "long" | "short" | "char" | "bool" | "_Bool" | "wchar_t"] => Some(Self::I32),
            ["char8_t" | "char16_t" | "char32_t" | "size_t" | "Py_ssize_t" | "ptrdiff_t"] => {
                Some(Self::I32)
            }
            ["long", "int"] | ["short", "int"] => Some(Self::I32),
            ["long", "long"] | ["long", "long", "int"] => Some(Self::I64),
            ["float"] => Some(Self::F32),
            ["double"] => Some(Self::F64),
            _ => None,
        }
    }

    /// The type of C that stands for it in an adapter.
    pub(super) fn c(self) -> &'static str {
        match self {
            Self::I32 => "void *",
            Self::I64 => "long long",
            Self::F32 => "float",
            Self::F64 => "double",
        }
    }

    /// An expression of this type, converted to another; none between numbers with and without a fraction: those are no two
    /// views of one register.
    pub(super) fn convert(self, to: Self, expression: &str) -> Option<String> {
        Some(match (self, to) {
            _ if self == to => expression.to_owned(),
            (Self::I32, Self::I64) => format!("(long long)(unsigned long){expression}"),
            (Self::I64, Self::I32) => format!("(void *)(unsigned long){expression}"),
            (Self::F32, Self::F64) | (Self::F64, Self::F32) => format!("({}){expression}", to.c()),
            _ => return None,
        })
    }
}

/// A function's type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CSignature {
    pub(super) parameters: Vec<Value>,
    pub(super) is_variadic: bool,
    pub(super) result: Option<Value>,
}

impl CSignature {
    /// The type of a function or of a pointer to one: `struct _object *(*)(struct _object *, void *)`,
    /// `int (A *) noexcept`; none if it has a value that WebAssembly has no type for.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (result, list) = halves(text)?;
        let mut parameters = match list.trim() {
            "" | "void" => Vec::new(),
            list => parts(list),
        };
        let is_variadic = parameters.last() == Some(&"...");
        if is_variadic {
            parameters.pop();
        }
        Some(Self {
            parameters: parameters
                .into_iter()
                .map(Value::parse)
                .collect::<Option<_>>()?,
            is_variadic,
            result: match result {
                "void" => None,
                value => Some(Value::parse(value)?),
            },
        })
    }

    /// The number of parameters of a function's type, whatever their types.
    pub(super) fn count(text: &str) -> Option<usize> {
        match halves(text)?.1.trim() {
            "" | "void" => Some(0),
            list => Some(parts(list).len()),
        }
    }

    /// Returns true for `void (*)(void)`, which stands for a function of any type.
    pub(super) fn is_anything(&self) -> bool {
        self.parameters.is_empty() && self.result.is_none() && !self.is_variadic
    }

    /// The type in C of a pointer to such a function.
    pub(super) fn pointer(&self) -> String {
        let mut types: Vec<&str> = self.parameters.iter().map(|value| value.c()).collect();
        if self.is_variadic {
            types.push("...");
        }
        let types = match types.is_empty() {
            true => "void".to_owned(),
            false => types.join(", "),
        };
        format!("{} (*)({types})", self.result_type())
    }

    pub(super) fn result_type(&self) -> &'static str {
        self.result.map_or("void", Value::c)
    }
}

/// Returns true if clang prints a type of C without a prototype: `int (*)()`.
pub(super) fn has_no_prototype(text: &str) -> bool {
    halves(text).is_some_and(|(_, list)| list.trim().is_empty())
}

/// The result and the parameters.
fn halves(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let text = text.strip_suffix("noexcept").unwrap_or(text).trim_end();
    let (result, list) = match text.split_once("(*)(") {
        Some(halves) => halves,
        None => text.split_once('(')?,
    };
    Some((result.trim(), list.strip_suffix(')')?))
}

/// A list of types at its commas, those inside of brackets aside.
fn parts(list: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '(' | '<' => depth += 1,
            ')' | '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_as_clang_prints_them() {
        for (text, pointer) in [
            (
                "struct _object *(*)(struct _object *, void *)",
                "void * (*)(void *, void *)",
            ),
            ("int (A *) noexcept", "void * (*)(void *)"),
            ("void (*)(void)", "void (*)(void)"),
            ("void ()", "void (*)(void)"),
            (
                "unsigned long long (*)(const A *, unsigned int, double, float)",
                "long long (*)(void *, void *, double, float)",
            ),
            (
                "int (*)(struct _object *, int (*)(struct _object *, void *), void *)",
                "void * (*)(void *, void *, void *)",
            ),
            ("unsigned int (*)(enum E, ...)", "void * (*)(void *, ...)"),
        ] {
            let signature = CSignature::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(signature.pointer(), pointer, "{text}");
        }
        for text in [
            "S (*)(void)",
            "int (*)(S)",
            "long double (*)(int)",
            "int",
            "",
        ] {
            assert_eq!(CSignature::parse(text), None, "{text}");
        }
        assert_eq!(
            CSignature::count("int (*)(S, std::pair<int, int>)"),
            Some(2)
        );
        assert!(has_no_prototype("int (*)()") && !has_no_prototype("int (*)(void)"));
    }
}
