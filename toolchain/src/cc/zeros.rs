//! Runs of zeros, left out of a linked module's data.
//!
//! LLD writes `.bss` into a side module as it would any other segment, and in a program it keeps zeros between data that
//! is not zero. Memory is zero before a module is instantiated: a program's own is fresh, and the loader zeroes what it
//! reserves for a side module. A segment therefore needs no zeros, however many it has; `mem-info` still tells the size.

use std::ops::Range;

use wasmparser::{
    BinaryReader, Data, DataKind, DataSectionReader, Encoding, Operator, Parser, Payload, TypeRef,
};

use super::finish::leb128;

/// Shorter runs stay: a segment of its own takes up to 20 bytes, and time to copy.
const SHORTEST_RUN: usize = 128;

const CUSTOM: u8 = 0;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;

/// The module without long runs of zeros in its data; `None` if there is nothing to leave out, or if the module's segments
/// are not such as to be sure that the zeros mean nothing.
pub fn without_zeros(module: &[u8]) -> Option<Vec<u8>> {
    let layout = Layout::read(module)?;
    if layout.is_memory_foreign {
        return None;
    }
    let segments = Segments::read(&module[layout.data.clone()?])?;
    let trimmed = segments.trimmed(layout.data_count.is_some())?;

    let mut out = module.get(..8)?.to_vec();
    for section in &layout.sections {
        let content = &module[section.content.clone()];
        match section.id {
            DATA => write_section(&mut out, DATA, &trimmed.content),
            DATA_COUNT => write_section(&mut out, DATA_COUNT, &leb128(trimmed.count)),
            // The numbers of segments are other ones now.
            CUSTOM if section.is_names => {
                write_section(&mut out, CUSTOM, &without_names_of_segments(content)?);
            }
            _ => out.extend_from_slice(&module[section.whole.clone()]),
        }
    }
    Some(out)
}

struct Section {
    id: u8,
    whole: Range<usize>,
    content: Range<usize>,
    is_names: bool,
}

#[derive(Default)]
struct Layout {
    sections: Vec<Section>,
    data: Option<Range<usize>>,
    data_count: Option<u32>,
    /// Memory that comes from elsewhere and that nobody zeroes for this module.
    is_memory_foreign: bool,
}

impl Layout {
    fn read(module: &[u8]) -> Option<Self> {
        let mut layout = Self::default();
        let mut is_side = false;
        let mut at = 8;
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload.ok()?;
            let mut is_names = false;
            match &payload {
                Payload::Version { encoding, .. } if *encoding != Encoding::Module => {
                    return None;
                }
                Payload::CustomSection(section) => {
                    is_side |= section.name() == "dylink.0";
                    is_names = section.name() == "name";
                }
                Payload::ImportSection(imports) => {
                    let mut imports = imports.clone().into_imports();
                    layout.is_memory_foreign |= !is_side
                        && imports.any(|import| {
                            import.is_ok_and(|import| matches!(import.ty, TypeRef::Memory(_)))
                        });
                }
                Payload::DataCountSection { count, .. } => layout.data_count = Some(*count),
                _ => {}
            }
            let Some((id, content)) = payload.as_section() else {
                continue;
            };
            let content = content.start as usize..content.end as usize;
            if id == DATA {
                layout.data = Some(content.clone());
            }
            let end = content.end;
            layout.sections.push(Section {
                id,
                whole: at..end,
                content,
                is_names,
            });
            at = end;
        }
        Some(layout)
    }
}

/// The offset of a segment: a constant, plus at most one of the module's two bases.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Start {
    base: Option<u32>,
    constant: u32,
}

impl Start {
    /// As far as LLD writes it; a sum needs extended constant expressions, which LLD uses too.
    fn read(data: &Data<'_>) -> Option<Self> {
        let DataKind::Active {
            memory_index: 0,
            offset_expr,
        } = &data.kind
        else {
            return None;
        };
        let operators = offset_expr.get_operators_reader().into_iter();
        let operators: Vec<_> = operators.collect::<Result<_, _>>().ok()?;
        let (base, constant) = match operators[..] {
            [Operator::I32Const { value }, Operator::End] => (None, value),
            [Operator::GlobalGet { global_index }, Operator::End] => (Some(global_index), 0),
            [
                Operator::GlobalGet { global_index },
                Operator::I32Const { value },
                Operator::I32Add,
                Operator::End,
            ] => (Some(global_index), value),
            _ => return None,
        };
        Some(Self {
            base,
            constant: constant.cast_unsigned(),
        })
    }

    fn write(self, out: &mut Vec<u8>) {
        const GLOBAL_GET: u8 = 0x23;
        const I32_CONST: u8 = 0x41;
        const I32_ADD: u8 = 0x6a;
        const END: u8 = 0x0b;
        if let Some(base) = self.base {
            out.push(GLOBAL_GET);
            out.extend(leb128(base));
        }
        if self.base.is_none() || self.constant != 0 {
            out.push(I32_CONST);
            out.extend(signed_leb128(self.constant.cast_signed()));
            if self.base.is_some() {
                out.push(I32_ADD);
            }
        }
        out.push(END);
    }
}

struct Segments<'m>(Vec<(Start, &'m [u8])>);

struct Trimmed {
    count: u32,
    content: Vec<u8>,
}

impl<'m> Segments<'m> {
    /// All segments of a module, if each has a place that is known and to itself: zeros over another's data would mean
    /// something. A passive segment is copied by code, over whatever is there.
    fn read(section: &'m [u8]) -> Option<Self> {
        let reader = BinaryReader::new(section, 0);
        let mut segments = Vec::new();
        for data in DataSectionReader::new(reader).ok()? {
            let data = data.ok()?;
            segments.push((Start::read(&data)?, data.data));
        }
        let base = segments.first()?.0.base;
        let mut places: Vec<(u64, u64)> = Vec::new();
        for (start, data) in &segments {
            if start.base != base {
                return None;
            }
            let from = u64::from(start.constant);
            places.push((from, from + data.len() as u64));
        }
        places.sort_unstable();
        let apart = places.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        apart.then_some(Self(segments))
    }

    /// `None` if nothing is left out. Where code may name a segment by its number, each keeps it: what is split off goes to
    /// the end, and one of zeros only becomes empty.
    fn trimmed(&self, keeps_numbers: bool) -> Option<Trimmed> {
        let mut kept: Vec<(Start, &[u8])> = Vec::new();
        let mut split_off = Vec::new();
        let mut left_out = 0;
        for (start, data) in &self.0 {
            let mut pieces = pieces(data).into_iter().map(|piece| {
                let constant = start.constant.wrapping_add(piece.start as u32);
                (Start { constant, ..*start }, &data[piece])
            });
            let first = pieces.next();
            if keeps_numbers {
                kept.push(first.unwrap_or((*start, &[])));
                split_off.extend(pieces);
            } else {
                kept.extend(first.into_iter().chain(pieces));
            }
            left_out += data.len();
        }
        kept.extend(split_off);
        left_out -= kept.iter().map(|(_, data)| data.len()).sum::<usize>();
        if left_out == 0 {
            return None;
        }
        let count = u32::try_from(kept.len()).ok()?;
        let mut content = leb128(count);
        for (start, data) in kept {
            content.push(0); // Active, in memory 0.
            start.write(&mut content);
            content.extend(leb128(u32::try_from(data.len()).ok()?));
            content.extend_from_slice(data);
        }
        Some(Trimmed { count, content })
    }
}

/// Returns the pieces of `data` between long runs of zeros, without zeros at its ends.
fn pieces(data: &[u8]) -> Vec<Range<usize>> {
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(from) = data[at..].iter().position(|byte| *byte != 0) {
        let start = at + from;
        let length = data[start..].iter().position(|byte| *byte == 0);
        let end = length.map_or(data.len(), |length| start + length);
        match pieces.last_mut() {
            Some(last) if start - last.end < SHORTEST_RUN => last.end = end,
            _ => pieces.push(start..end),
        }
        at = end;
    }
    pieces
}

/// The content of a `name` section without the names of data segments.
fn without_names_of_segments(content: &[u8]) -> Option<Vec<u8>> {
    const NAME_LENGTH: usize = 1 + b"name".len();
    let mut out = content.get(..NAME_LENGTH)?.to_vec();
    let mut reader = BinaryReader::new(content.get(NAME_LENGTH..)?, 0);
    while !reader.eof() {
        let id = reader.read_u8().ok()?;
        let size = reader.read_var_u32().ok()?;
        let names = reader.read_bytes(size as usize).ok()?;
        if id != SEGMENT_NAMES {
            out.push(id);
            out.extend(leb128(size));
            out.extend_from_slice(names);
        }
    }
    Some(out)
}

/// The subsection of `name` about data segments.
const SEGMENT_NAMES: u8 = 9;

fn write_section(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    out.extend(leb128(content.len() as u32));
    out.extend_from_slice(content);
}

fn signed_leb128(mut value: i32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        let sign = low & 0x40 != 0;
        if (value == 0 && !sign) || (value == -1 && sign) {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";
    /// One page of memory of its own.
    const MEMORY: &[u8] = b"\x05\x03\x01\0\x01";
    const FOREIGN: &[u8] = b"\x02\x0f\x01\x03env\x06memory\x02\0\x01";
    const DYLINK: &[u8] = b"\0\x0f\x08dylink.0\x01\x04\x80\x20\0\0";
    const BASE: Option<u32> = Some(0);

    fn segments(all: &[(Option<u32>, u32, Vec<u8>)]) -> Vec<u8> {
        let mut content = leb128(all.len() as u32);
        for (base, constant, data) in all {
            content.push(0);
            let start = Start {
                base: *base,
                constant: *constant,
            };
            start.write(&mut content);
            content.extend(leb128(data.len() as u32));
            content.extend(data);
        }
        let mut section = Vec::new();
        write_section(&mut section, DATA, &content);
        section
    }

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [&[HEADER][..], sections].concat().concat()
    }

    fn text(pieces: &[(&[u8], usize)]) -> Vec<u8> {
        let mut data = Vec::new();
        for (bytes, zeros) in pieces {
            data.extend_from_slice(bytes);
            data.resize(data.len() + zeros, 0);
        }
        data
    }

    #[test]
    fn a_long_run_splits_a_segment_and_a_short_one_stays() {
        let data = text(&[(b"", 5), (b"ab", 127), (b"cd", 128), (b"ef", 9)]);
        let before = module(&[MEMORY, &segments(&[(None, 1024, data)])]);
        let kept = [
            (None, 1029, text(&[(b"ab", 127), (b"cd", 0)])),
            (None, 1024 + 5 + 2 + 127 + 2 + 128, b"ef".to_vec()),
        ];
        let after = without_zeros(&before).expect("there are zeros");
        assert_eq!(after, module(&[MEMORY, &segments(&kept)]));
        assert_eq!(without_zeros(&after), None, "once is enough");
    }

    #[test]
    fn a_side_module_has_its_zeros_from_the_loader() {
        let all = [(BASE, 0, b"ab".to_vec()), (BASE, 64, vec![0; 1 << 20])];
        let before = module(&[DYLINK, FOREIGN, &segments(&all)]);
        let after = without_zeros(&before).expect("there are zeros");
        assert_eq!(after, module(&[DYLINK, FOREIGN, &segments(&all[..1])]));
        // Memory that a program gets from elsewhere may hold anything.
        assert_eq!(without_zeros(&module(&[FOREIGN, &segments(&all)])), None);
    }

    #[test]
    fn a_segment_keeps_its_number_where_code_may_name_it() {
        let data = text(&[(b"a", 200), (b"b", 0)]);
        let all = [
            (None, 0, vec![0; 8]),
            (None, 100, data),
            (None, 500, b"c".to_vec()),
        ];
        let counted =
            |count: u8, all: &[_]| module(&[MEMORY, &[DATA_COUNT, 1, count], &segments(all)]);
        let kept = [
            (None, 0, Vec::new()),
            (None, 100, b"a".to_vec()),
            (None, 500, b"c".to_vec()),
            (None, 301, b"b".to_vec()),
        ];
        assert_eq!(without_zeros(&counted(3, &all)), Some(counted(4, &kept)));
    }

    #[test]
    fn zeros_that_mean_something_stay() {
        let over = [(None, 0, b"abcd".to_vec()), (None, 2, vec![0; 300])];
        assert_eq!(without_zeros(&module(&[MEMORY, &segments(&over)])), None);
        let bases = [(None, 0, vec![0; 300]), (BASE, 900, vec![0; 300])];
        assert_eq!(without_zeros(&module(&[MEMORY, &segments(&bases)])), None);
        // A passive segment.
        let passive = [&[1, 1][..], &leb128(200), &[0; 200]].concat();
        let mut section = Vec::new();
        write_section(&mut section, DATA, &passive);
        assert_eq!(without_zeros(&module(&[MEMORY, &section])), None);
    }

    #[test]
    fn names_of_segments_go_and_others_stay() {
        let names = b"\0\x10\x04name\0\x03\x02hi\x09\x04\x01\0\x01d";
        let left = b"\0\x0a\x04name\0\x03\x02hi";
        let before = module(&[MEMORY, &segments(&[(None, 0, vec![0; 10])]), names]);
        let after = module(&[MEMORY, &segments(&[]), left]);
        assert_eq!(without_zeros(&before), Some(after));
    }

    #[test]
    fn damage_is_survived() {
        let all = [(None, 8, text(&[(b"ab", 300), (b"c", 5)]))];
        let whole = module(&[MEMORY, &[DATA_COUNT, 1, 1], &segments(&all)]);
        for cut in 0..whole.len() {
            without_zeros(&whole[..cut]);
            let mut damaged = whole.clone();
            damaged[cut] ^= 0xff;
            without_zeros(&damaged);
        }
    }
}
