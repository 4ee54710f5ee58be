//! Which nodes a walk has met.

/// For each node the number of the walk that has met it last.
#[derive(Debug, Default)]
pub(super) struct Seen {
    marks: Vec<u8>,
    walk: u8,
}

impl Seen {
    /// Forgets all, for a walk among so many nodes.
    pub(super) fn start(&mut self, nodes: usize) {
        self.walk = self.walk.wrapping_add(1);
        if self.walk == 0 {
            self.marks.fill(0);
            self.walk = 1;
        }
        if self.marks.len() < nodes {
            self.marks.resize(nodes, 0);
        }
    }

    /// Puts those of `numbers` that are met for the first time behind what is in `new`.
    #[inline]
    pub(super) fn meet(&mut self, numbers: &[u32], new: &mut Vec<u32>) {
        let mut end = new.len();
        new.resize(end + numbers.len(), 0);
        for &number in numbers {
            if let Some(mark) = self.marks.get_mut(number as usize) {
                // Written in any case: nobody could foresee which are new.
                new[end] = number;
                end += usize::from(*mark != self.walk);
                *mark = self.walk;
            }
        }
        new.truncate(end);
    }
}
