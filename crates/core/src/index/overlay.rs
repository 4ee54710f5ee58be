//! A sparse array that is cheap to clone and to change a little: what a version has that the base has not.

use std::sync::Arc;

/// Branches of a node. A change copies nodes on the way to its entry, and with them a count for each of their branches; a clone
/// copies one for each of the uppermost nodes. With 16 on three levels both are small for millions of entries.
const WIDTH: usize = 16;
/// Entries below a node of the lowest, the middle and the upper level.
const LOW: usize = WIDTH;
const MIDDLE: usize = LOW * WIDTH;
const UPPER: usize = MIDDLE * WIDTH;

type Node<B> = [Option<Arc<B>>; WIDTH];
type Upper<V> = Node<Node<Node<V>>>;

/// Entries by number. A clone shares all entries; a change copies the way to its entry and nothing else.
#[derive(Debug)]
pub(super) struct Overlay<V: ?Sized> {
    uppers: Vec<Option<Arc<Upper<V>>>>,
    copies: usize,
}

impl<V: ?Sized> Overlay<V> {
    /// The entry number `i`, if there is one.
    #[inline]
    pub(super) fn get(&self, i: usize) -> Option<&V> {
        let middle = self.uppers.get(i / UPPER)?.as_ref()?[i / MIDDLE % WIDTH].as_ref()?;
        middle[i / LOW % WIDTH].as_ref()?[i % WIDTH].as_deref()
    }

    /// How often an entry came, or another one took the place of one that another version has too.
    pub(super) fn copies(&self) -> usize {
        self.copies
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = &V> {
        self.entries().map(|(_, entry)| entry)
    }

    /// All entries with their numbers.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, &V)> {
        branches(&self.uppers, 0, UPPER)
            .flat_map(|(first, upper)| branches(upper, first, MIDDLE))
            .flat_map(|(first, middle)| branches(middle, first, LOW))
            .flat_map(|(first, low)| branches(low, first, 1))
    }

    pub(super) fn set(&mut self, i: usize, value: impl Into<Arc<V>>) {
        let place = place(&mut self.uppers, i);
        self.copies += usize::from(place.as_ref().is_none_or(|entry| Arc::strong_count(entry) > 1));
        *place = Some(value.into());
    }
}

/// The branches of a node, each with the number of the first of so many entries below it.
fn branches<B: ?Sized>(
    node: &[Option<Arc<B>>],
    first: usize,
    below: usize,
) -> impl Iterator<Item = (usize, &B)> {
    let all = node.iter().enumerate();
    all.filter_map(move |(i, branch)| Some((first + i * below, branch.as_deref()?)))
}

/// The place of an entry, on a way that no other version has.
fn place<V: ?Sized>(uppers: &mut Vec<Option<Arc<Upper<V>>>>, i: usize) -> &mut Option<Arc<V>> {
    if uppers.len() <= i / UPPER {
        uppers.resize(i / UPPER + 1, None);
    }
    let middle = &mut below(&mut uppers[i / UPPER])[i / MIDDLE % WIDTH];
    let low = &mut below(middle)[i / LOW % WIDTH];
    &mut below(low)[i % WIDTH]
}

/// The node of a branch, which no other version has; one without branches where there was none.
fn below<B: ?Sized>(branch: &mut Option<Arc<Node<B>>>) -> &mut Node<B> {
    Arc::make_mut(branch.get_or_insert_with(|| Arc::new([const { None }; WIDTH])))
}

impl<V: ?Sized> Clone for Overlay<V> {
    fn clone(&self) -> Self {
        Self { uppers: self.uppers.clone(), copies: self.copies }
    }
}

impl<V: ?Sized> Default for Overlay<V> {
    fn default() -> Self {
        Self { uppers: Vec::new(), copies: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::Overlay;

    #[test]
    fn a_clone_keeps_what_it_had() {
        let mut overlay = Overlay::default();
        let numbers = [0, 1, 15, 16, 255, 256, 4_095, 4_096, 70_000, 1_000_000];
        for i in numbers {
            assert_eq!(overlay.get(i), None);
            overlay.set(i, i);
        }
        let before = overlay.clone();
        overlay.set(16, 17);
        overlay.set(17, 5);
        overlay.set(17, 6);
        overlay.set(4_095, 7);
        assert_eq!(numbers.map(|i| before.get(i).copied()), numbers.map(Some));
        assert_eq!([16, 17, 4_095, 18].map(|i| overlay.get(i).copied()), [Some(17), Some(6), Some(7), None]);
        assert_eq!(before.iter().copied().collect::<Vec<_>>(), numbers);
        assert_eq!(overlay.iter().count(), numbers.len() + 1);
        assert!(before.entries().all(|(i, &entry)| i == entry));
        assert_eq!((before.copies(), overlay.copies()), (numbers.len(), numbers.len() + 3));
    }
}
