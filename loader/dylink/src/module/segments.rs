//! Element and data segments: which slot each function has, and that a side module stays within what is reserved for it.

use wasmparser::{ConstExpr, Operator};

use super::Region;
use crate::module::error::ModuleError;

/// The offset of a segment: a constant, plus at most one of the module's two bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    pub(super) base: Base,
    pub(super) constant: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    None,
    Memory,
    Table,
}

impl Offset {
    /// Evaluates an offset expression as far as linkers write them: `global.get`, `i32.const` and, with extended
    /// constant expressions, sums of these. `base_of` tells which global is which base.
    pub(super) fn eval(
        expr: &ConstExpr<'_>,
        base_of: impl Fn(u32) -> Option<Base>,
    ) -> Option<Self> {
        let constant = |constant| Self {
            base: Base::None,
            constant,
        };
        // A well-formed sum of lld's has two terms; more than a few is no linker's work.
        let mut stack = [constant(0); 4];
        let mut depth = 0;
        for operator in expr.get_operators_reader() {
            let value = match operator.ok()? {
                Operator::I32Const { value } => constant(value.cast_unsigned()),
                Operator::GlobalGet { global_index } => Self {
                    base: base_of(global_index)?,
                    constant: 0,
                },
                Operator::I32Add => {
                    depth = usize::checked_sub(depth, 2)?;
                    stack[depth].add(stack[depth + 1])?
                }
                Operator::End => break,
                _ => return None,
            };
            *stack.get_mut(depth)? = value;
            depth += 1;
        }
        (depth == 1).then_some(stack[0])
    }

    fn add(self, other: Self) -> Option<Self> {
        let base = match (self.base, other.base) {
            (base, Base::None) | (Base::None, base) => base,
            _ => return None,
        };
        Some(Self {
            base,
            constant: self.constant.wrapping_add(other.constant),
        })
    }

    /// The constant, if a segment of `len` that begins here lies within `region`, which begins at `base`.
    pub(super) fn within(
        self,
        base: Base,
        region: Region,
        len: u64,
        what: &'static str,
        index: u32,
    ) -> Result<u32, ModuleError> {
        if self.base != base {
            return Err(ModuleError::NotRelative { what, index });
        }
        if u64::from(self.constant) + len > u64::from(region.size) {
            return Err(ModuleError::SegmentOutside {
                what,
                index,
                end: u64::from(self.constant) + len,
                size: region.size,
            });
        }
        Ok(self.constant)
    }
}
