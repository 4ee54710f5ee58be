//! Which nodes a walk has met.

/// Nodes whose bits are in a word.
const WORD: usize = u64::BITS as usize;

/// A bit for each node: a byte for each filled most of a second-level cache, and a walk waited for them.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    bits: Vec<u64>,
    /// The nodes whose bits are set.
    met: Vec<u32>,
}

impl Seen {
    /// Forgets all, for a walk among so many nodes.
    pub(crate) fn start(&mut self, nodes: usize) {
        if self.met.len() < self.bits.len() {
            self.met.iter().for_each(|&number| self.bits[number as usize / WORD] = 0);
        } else {
            self.bits.fill(0);
        }
        self.met.clear();
        if self.bits.len() * WORD < nodes {
            self.bits.resize(nodes.div_ceil(WORD), 0);
        }
    }

    /// Whether there is such a node and it is met for the first time.
    #[inline]
    pub(crate) fn meet(&mut self, number: u32) -> bool {
        let Some(word) = self.bits.get_mut(number as usize / WORD) else { return false };
        let bit = 1 << (number as usize % WORD);
        let new = *word & bit == 0;
        *word |= bit;
        if new {
            self.met.push(number);
        }
        new
    }

    /// Lets a node be met as if for the first time.
    #[inline]
    pub(super) fn forget(&mut self, number: u32) {
        if let Some(word) = self.bits.get_mut(number as usize / WORD) {
            *word &= !(1 << (number as usize % WORD));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;

    #[test]
    fn each_walk_meets_each_node_once() {
        let mut seen = Seen::default();
        // Few and many nodes met, so that both ways of forgetting are taken; more nodes than before, and fewer.
        for (nodes, step) in [(1_000, 97), (1_000, 1), (5_000, 7), (700, 3), (1, 1)] {
            seen.start(nodes);
            let numbers = || (0..nodes as u32).step_by(step);
            assert!(numbers().all(|number| seen.meet(number)), "{nodes} nodes");
            assert!(!numbers().any(|number| seen.meet(number)), "a second time");
        }
    }

    #[test]
    fn numbers_that_no_node_has_are_passed_by() {
        let mut seen = Seen::default();
        seen.start(64);
        assert_eq!(
            [3, u32::MAX, 1_000, 3, 63].map(|number| seen.meet(number)),
            [true, false, false, false, true]
        );
    }
}
