//! A guest, taken apart: its code, compiled once for all images, and the data that its first memory begins with.

use wasmparser::{DataKind, Operator, Parser, Payload};

/// The module that the build script made.
pub(super) const BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/guest.wasm"));

/// The version of QuickJS-NG in the guest.
pub(super) const QUICKJS_VERSION: &str = "0.16.2";

pub(super) struct Guest {
    /// The module without its data: an instance of it takes its memory as it is.
    pub code: Vec<u8>,
    /// What the first memory holds, apart from zeros.
    pub data: Vec<Segment>,
    /// The length of the first memory, in bytes.
    pub memory_size: usize,
}

pub(super) struct Segment {
    pub offset: u32,
    pub bytes: Vec<u8>,
}

impl Guest {
    pub fn parse(module: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        const WASM_PAGE: usize = 65_536;
        const DATA_SECTION: u8 = 11;
        const DATA_COUNT_SECTION: u8 = 12;
        const HEADER: usize = 8;
        let header = module.get(..HEADER).unwrap_or_default();
        let mut guest = Self { code: header.to_vec(), data: Vec::new(), memory_size: 0 };
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            match &payload {
                Payload::MemorySection(memories) => {
                    for memory in memories.clone() {
                        guest.memory_size = (memory?.initial as usize).saturating_mul(WASM_PAGE);
                    }
                }
                Payload::DataSection(segments) => {
                    for segment in segments.clone() {
                        guest.data.extend(Segment::parse(&segment?)?);
                    }
                }
                _ => {}
            }
            // where the module is cut off, the parser says so a moment later
            if let Some((id, range)) = payload.as_section()
                && let Some(section) = module.get(range)
                && id != DATA_SECTION
                && id != DATA_COUNT_SECTION
            {
                guest.code.push(id);
                push_leb128(&mut guest.code, section.len());
                guest.code.extend(section);
            }
        }
        Ok(guest)
    }
}

impl Segment {
    /// `None` for a segment that code places by itself, which our linker does not make.
    fn parse(data: &wasmparser::Data<'_>) -> Result<Option<Self>, wasmparser::BinaryReaderError> {
        let DataKind::Active { offset_expr, .. } = &data.kind else { return Ok(None) };
        let Operator::I32Const { value } = offset_expr.get_operators_reader().read()? else { return Ok(None) };
        Ok(Some(Self { offset: value.cast_unsigned(), bytes: data.data.to_vec() }))
    }
}

fn push_leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guest_has_no_bulk_memory_instructions() {
        // wasmtime runs them as host code, where a memory that is taken away would end the process.
        let mut functions = 0;
        for payload in Parser::new(0).parse_all(BUILT_IN) {
            let Payload::CodeSectionEntry(body) = payload.unwrap() else { continue };
            functions += 1;
            for operator in body.get_operators_reader().unwrap() {
                let operator = operator.unwrap();
                let bulk = matches!(
                    operator,
                    Operator::MemoryCopy { .. } | Operator::MemoryFill { .. } | Operator::MemoryInit { .. }
                );
                assert!(!bulk, "{operator:?}");
            }
        }
        assert!(functions > 1000, "only {functions} functions were looked at");
    }

    #[test]
    fn the_guest_imports_what_the_host_offers_and_no_more() {
        let mut imports = Vec::new();
        for payload in Parser::new(0).parse_all(BUILT_IN) {
            let Payload::ImportSection(section) = payload.unwrap() else { continue };
            for import in section.into_imports() {
                let import = import.unwrap();
                imports.push(format!("{}.{}", import.module, import.name));
            }
        }
        imports.sort();
        assert_eq!(
            imports,
            [
                "env.__rquickjs_host_now_us",
                "vm.call",
                "vm.elapsed_ms",
                "vm.memory_exhausted",
                "vm.random",
                "vm.report",
                "vm.take",
                "vm.time_origin_ms",
                "vm.utc_offset"
            ]
        );
    }
}
