//! The numbers, lists and parts of a plan's bytes, each checked as it is read.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use super::PlanError;
use crate::module::ids::Align;
use crate::module::{ContentHash, Region, ValType};

/// A position in a plan's bytes.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl Reader<'_> {
    pub(super) fn damaged(&self, reason: &'static str) -> PlanError {
        let at = self.at;
        PlanError::Damaged { at, reason }
    }

    pub(super) fn byte(&mut self) -> Result<u8, PlanError> {
        let byte = self.bytes.get(self.at).copied();
        self.at += 1;
        byte.ok_or_else(|| self.damaged("unexpected end"))
    }

    pub(super) fn flag(&mut self) -> Result<bool, PlanError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged("a flag is neither 0 nor 1")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u32, PlanError> {
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let value = u32::try_from(value);
                return value.map_err(|_| self.damaged("a number is too large"));
            }
        }
        Err(self.damaged("a number does not end"))
    }

    /// A count, then as many items. Each takes a byte at least, so a count beyond the rest is damage.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, PlanError>,
    ) -> Result<Vec<T>, PlanError> {
        let count = self.number()? as usize;
        if count > self.bytes.len().saturating_sub(self.at) {
            return Err(self.damaged("a count is larger than what follows"));
        }
        (0..count).map(|_| item(self)).collect()
    }

    /// A length, then as many bytes.
    pub(super) fn part(&mut self) -> Result<Range<u32>, PlanError> {
        let length = self.number()? as usize;
        let start = self.at;
        let end = start.checked_add(length);
        let end = end.filter(|end| *end <= self.bytes.len() && u32::try_from(*end).is_ok());
        self.at = end.ok_or_else(|| self.damaged("a part is longer than what follows"))?;
        Ok(start as u32..self.at as u32)
    }

    pub(super) fn types(&mut self) -> Result<Box<[ValType]>, PlanError> {
        let types = self.list(|reader| {
            let ty = ValType::from_byte(reader.byte()?);
            ty.ok_or_else(|| reader.damaged("a value has an unknown type"))
        })?;
        Ok(types.into())
    }

    pub(super) fn region(&mut self) -> Result<Region, PlanError> {
        let size = self.number()?;
        let align = Align::from_log2(self.number()?);
        let align = align.ok_or_else(|| self.damaged("an alignment is too large"))?;
        Ok(Region { size, align })
    }

    pub(super) fn hash(&mut self) -> Result<ContentHash, PlanError> {
        let hash = self.bytes.get(self.at..self.at + 32);
        let hash = hash.and_then(|hash| hash.try_into().ok());
        self.at += 32;
        hash.map(ContentHash)
            .ok_or_else(|| self.damaged("unexpected end"))
    }
}
