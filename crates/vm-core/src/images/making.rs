//! An image in the making, while a session that has none runs its startup.

use vm_model::Execution;

use super::{Key, Recipe};
use crate::{Error, host::Host, machine::Machine};

/// It grows with each library and startup file, until one does what would not be the same another time.
pub(crate) struct Making {
    pub key: Key,
    host: Host,
    recipe: Recipe,
    /// The libraries, or some startup files, are behind it.
    is_begun: bool,
    /// The memory, once it grows no more.
    closed: Option<Option<Vec<u8>>>,
}

impl Making {
    /// Before anything has run.
    pub fn new(key: Key, host: &Host) -> Self {
        host.begin_noting();
        let recipe = Recipe { readings: Vec::new(), startup: Vec::new() };
        Self { key, host: host.clone(), recipe, is_begun: false, closed: None }
    }

    /// After the libraries, or one more startup file.
    pub fn step(&mut self, machine: &Machine, is_repeatable: bool, startup: Option<&Execution>) -> Result<(), Error> {
        if self.closed.is_some() {
            return Ok(());
        }
        if !is_repeatable {
            self.closed = Some(machine.instance.state_before()?);
            return Ok(());
        }
        self.is_begun = true;
        self.recipe.readings = self.host.readings();
        self.recipe.startup.extend(startup.cloned());
        Ok(())
    }

    /// At the end of the startup: the image, if it is worth one.
    pub fn finish(self, machine: &Machine) -> Option<(Recipe, Vec<u8>)> {
        self.host.end_noting();
        let state = self.closed.unwrap_or_else(|| machine.instance.state());
        state.filter(|_| self.is_begun).map(|state| (self.recipe, state))
    }
}
