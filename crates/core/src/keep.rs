//! The best of many estimates.

/// Keeps the `capacity` smallest estimates that it is shown, each with a number, give or take those that came after the
/// last clearing-up.
#[derive(Debug, Default)]
pub(crate) struct Keep {
    capacity: usize,
    /// So many more are taken before they are cleared up.
    room: usize,
    /// Estimate and number in one: they order as the estimates do.
    keys: Vec<u64>,
    threshold: f32,
}

impl Keep {
    /// Empties it. With more `room` it clears up less often, and the threshold is later.
    pub(crate) fn start(&mut self, capacity: usize, room: usize) {
        (self.capacity, self.room) = (capacity, room);
        self.threshold = f32::INFINITY;
        self.keys.clear();
    }

    /// Estimates from here on are not kept.
    pub(crate) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Whether it has as many as it keeps.
    pub(crate) fn is_full(&self) -> bool {
        self.keys.len() >= self.capacity
    }

    /// The `n`th smallest of the estimates that there are now, counted from 1; `None` where there are fewer.
    pub(crate) fn nth(&mut self, n: usize) -> Option<f32> {
        let last = n.checked_sub(1).filter(|&last| last < self.keys.len())?;
        let (_, &mut key, _) = self.keys.select_nth_unstable(last);
        Some(estimate(key))
    }

    /// Takes an estimate below the threshold.
    #[inline]
    pub(crate) fn push(&mut self, estimate: f32, number: u32) {
        self.keys.push(key(estimate, number));
    }

    /// Drops what is too much, once the room is full.
    #[inline]
    pub(crate) fn tidy(&mut self) {
        if self.keys.len() >= self.capacity + self.room {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.keys.len() > self.capacity
            && let Some(last) = self.capacity.checked_sub(1)
        {
            let (_, &mut worst, _) = self.keys.select_nth_unstable(last);
            self.keys.truncate(self.capacity);
            self.threshold = estimate(worst);
        }
    }

    /// What was kept, in no order.
    pub(crate) fn finish(&mut self) -> &mut [u64] {
        self.cut();
        &mut self.keys
    }
}

/// Orders as the estimate does, then as the number.
#[inline]
pub(crate) fn key(estimate: f32, number: u32) -> u64 {
    let bits = estimate.to_bits();
    // Of negative floats all bits are turned round, of others the sign: then the bits order as the numbers do.
    let ordered = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
    u64::from(ordered) << 32 | u64::from(number)
}

#[inline]
pub(crate) fn number(key: u64) -> u32 {
    key as u32
}

#[inline]
pub(crate) fn estimate(key: u64) -> f32 {
    let ordered = (key >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered ^ 1 << 31 } else { !ordered })
}
