//! How damage to what nobody else can read is noticed.

use crc32fast::Hasher;

use crate::error::Failure;

/// Of these parts, in this order.
pub(crate) fn checksum(parts: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// Refuses a row whose parts are not those that were stored.
pub(crate) fn verify(stored: u32, parts: &[&[u8]], table: &'static str, column: &'static str) -> Result<(), Failure> {
    if stored == checksum(parts) {
        return Ok(());
    }
    Err(Failure::Damaged { table, column, why: "does not match its checksum".into() })
}
