//! Which slot an id is in.
//!
//! Most indexes number their vectors from 0: then the id is the slot, and nothing is stored. Other ids are found in a
//! table that was laid out with the base, and those that came later in shards that are copied when they change. What is
//! found is believed only if the slot says that it holds the id, so nothing has to be taken out of the table.

use super::overlay::Overlay;
use super::slots::SlotsView;
use crate::file::Values;
use crate::random::mix;

/// Shards of what came later.
const SHARD_BITS: u32 = 14;
/// The table has at least this many places for a vector, so that most are found at the first or second look.
const ROOM: f64 = 1.5;

/// The way from ids to slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    /// Slot + 1, from the place that the id's hash says onwards; 0 where there is none. Its length is a power of two.
    pub(super) table: Values<u32>,
    later: Overlay<Vec<(u64, u32)>>,
}

impl Ids {
    /// The table for vectors laid out together; nothing when every id is its slot.
    pub(super) fn lay_out(ids: &[u64]) -> Vec<u32> {
        let others = || ids.iter().enumerate().filter(|&(slot, &id)| id != slot as u64 && id != super::NO_ID);
        let n = others().count();
        if n == 0 {
            return Vec::new();
        }
        let mut table = vec![0; ((n as f64 * ROOM) as usize + 1).next_power_of_two()];
        let mask = table.len() - 1;
        for (slot, &id) in others() {
            let mut at = hash(id) as usize & mask;
            while table[at] != 0 {
                at = (at + 1) & mask;
            }
            table[at] = slot as u32 + 1;
        }
        table
    }

    pub(super) fn new(table: Values<u32>) -> Self {
        Self { table, later: Overlay::default() }
    }

    /// The slot that holds `id`.
    pub(super) fn slot(&self, id: u64, slots: &SlotsView<'_>) -> Option<u32> {
        let holds = |slot: u32| (slot as usize) < slots.len && slots.id(slot) == id;
        if let Ok(slot) = u32::try_from(id)
            && holds(slot)
        {
            return Some(slot);
        }
        let later = self.later.get(shard(id)).and_then(|shard| {
            shard.iter().find(|&&(other, slot)| other == id && holds(slot)).map(|&(_, slot)| slot)
        });
        if later.is_some() {
            return later;
        }
        let table = self.table.slice();
        let mask = table.len().checked_sub(1)?;
        let start = hash(id) as usize;
        let entries = (0..table.len()).map_while(|i| table.get(start.wrapping_add(i) & mask).copied());
        entries.take_while(|&entry| entry != 0).map(|entry| entry - 1).find(|&slot| holds(slot))
    }

    /// Notes where ids have come; `slots` are those before the change.
    pub(super) fn put(&mut self, moved: &[(u64, u32)], slots: &SlotsView<'_>) {
        let mut moved: Vec<(u64, u32)> =
            moved.iter().copied().filter(|&(id, slot)| id != u64::from(slot)).collect();
        moved.sort_unstable_by_key(|&(id, _)| shard(id));
        for group in moved.chunk_by(|a, b| shard(a.0) == shard(b.0)) {
            let number = shard(group[0].0);
            let mut entries: Vec<(u64, u32)> = self.later.get(number).cloned().unwrap_or_default();
            // What is true no longer is left out.
            entries.retain(|&(id, slot)| (slot as usize) < slots.len && slots.id(slot) == id);
            entries.extend_from_slice(group);
            self.later.set(number, entries);
        }
    }
}

fn hash(id: u64) -> u64 {
    mix(id, 0)
}

fn shard(id: u64) -> usize {
    (hash(id) >> (64 - SHARD_BITS)) as usize
}
