//! Code that is patched in place.

use wasmparser::{FunctionBody, Operator};

use crate::apply::{Indices, NotRewritten};

/// The bytes of a function's body, with other indices of functions and globals in it.
pub(crate) fn patched(body: &FunctionBody<'_>, indices: &Indices) -> Result<Vec<u8>, NotRewritten> {
    let old = body.as_bytes();
    let start = body.range().start;
    let mut new = Vec::with_capacity(old.len());
    let mut copied = 0;
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, offset) = operator?;
        let index = match operator {
            Operator::Call { function_index }
            | Operator::ReturnCall { function_index }
            | Operator::RefFunc { function_index } => indices.function(function_index)?,
            Operator::GlobalGet { global_index } => indices.global(global_index)?,
            Operator::GlobalSet { global_index } => indices.variable(global_index)?,
            ref other => match is_atomic(other) {
                true => return Err(NotRewritten::Unknown("an atomic access of a global")),
                false => continue,
            },
        };
        // All of these have one byte, and then the index.
        let at = (offset - start) as usize + 1;
        let length = length(&old[at..]);
        new.extend_from_slice(&old[copied..at]);
        number(&mut new, index, length);
        copied = at + length;
    }
    new.extend_from_slice(&old[copied..]);
    Ok(new)
}

/// Accesses of globals that no C compiler writes.
fn is_atomic(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::GlobalAtomicGet { .. }
            | Operator::GlobalAtomicSet { .. }
            | Operator::GlobalAtomicRmwAdd { .. }
            | Operator::GlobalAtomicRmwSub { .. }
            | Operator::GlobalAtomicRmwAnd { .. }
            | Operator::GlobalAtomicRmwOr { .. }
            | Operator::GlobalAtomicRmwXor { .. }
            | Operator::GlobalAtomicRmwXchg { .. }
            | Operator::GlobalAtomicRmwCmpxchg { .. }
    )
}

/// Returns the size of the LEB128 number at the start of the bytes.
fn length(bytes: &[u8]) -> usize {
    let last = bytes.iter().position(|byte| byte & 0x80 == 0);
    last.map_or(bytes.len(), |last| last + 1)
}

/// Unsigned LEB128 of so many bytes, or more if these do not hold it.
fn number(out: &mut Vec<u8>, mut value: u32, length: usize) {
    let mut written = 1;
    while value >= 0x80 || written < length {
        out.push(value as u8 | 0x80);
        value >>= 7;
        written += 1;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::{length, number};

    #[test]
    fn a_number_keeps_its_length_as_long_as_it_fits() {
        for (value, wanted, bytes) in [
            (5, 1, &[5][..]),
            (5, 5, &[0x85, 0x80, 0x80, 0x80, 0][..]),
            (300, 1, &[0xac, 2][..]),
            (300, 3, &[0xac, 0x82, 0][..]),
            (u32::MAX, 1, &[0xff, 0xff, 0xff, 0xff, 0x0f][..]),
        ] {
            let mut out = Vec::new();
            number(&mut out, value, wanted);
            assert_eq!(out, bytes);
            out.push(0x80);
            assert_eq!(length(&out), bytes.len());
        }
    }
}
