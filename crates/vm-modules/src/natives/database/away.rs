//! What is kept of a connection while its session is not in memory: which databases it has, and what those in memory hold.
//!
//! Transactions, temporary tables and settings are not kept. A connection in a transaction is kept as it was before.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{
    super::{Bounds, NativeError},
    location::Location,
    open::Open,
};
use crate::Worktree;

const VERSION: u8 = 1;

/// A connection that is not there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Away {
    version: u8,
    /// `main`, and what was attached.
    schemas: Vec<Schema>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Schema {
    name: String,
    dsn: String,
    /// What a database in memory holds.
    content: Option<ByteBuf>,
}

impl Away {
    /// Of no connection, or this one.
    pub fn of(open: Option<&Open>) -> Result<Self, NativeError> {
        let schemas = open.map_or(Ok(Vec::new()), |open| {
            let schema = |(name, dsn): (&String, &String)| {
                Ok(Schema { name: name.clone(), dsn: dsn.clone(), content: open.content(name)?.map(ByteBuf::from) })
            };
            open.schemas().map(schema).collect()
        });
        Ok(Self { version: VERSION, schemas: schemas? })
    }

    pub fn encode(&self) -> Result<Vec<u8>, NativeError> {
        rmp_serde::to_vec(self).map_err(|error| NativeError::new("ERR_INTERNAL", error.to_string()))
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, NativeError> {
        let lost = || {
            NativeError::new(
                "ERR_DATABASE_LOST",
                "what was stored of the open database cannot be read; configure it again",
            )
        };
        rmp_serde::from_slice(bytes).ok().filter(|away: &Self| away.version == VERSION).ok_or_else(lost)
    }

    /// The connection, opened again.
    pub fn come_back(
        self,
        worktree: &Worktree,
        is_read_only: bool,
        bounds: &Bounds<'_>,
    ) -> Result<Option<Open>, NativeError> {
        let mut open = None;
        for Schema { name, dsn, content } in self.schemas {
            let location = Location::find(worktree, &dsn, is_read_only)?;
            let open = match &mut open {
                Some(open) => {
                    let open: &mut Open = open;
                    open.attach(&location, &dsn, &name, bounds)?;
                    open
                }
                none => none.insert(Open::new(&location, &dsn, is_read_only, bounds)?),
            };
            if let Some(content) = content {
                open.fill(&name, &content)?;
            }
        }
        Ok(open)
    }
}
