//! The fuzzer's bytes, one decision after the other.

/// What is still to be decided. Once the bytes are used up every decision is zero.
pub struct Decisions<'a>(&'a [u8]);

impl<'a> Decisions<'a> {
    /// Decisions out of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Decisions<'a> {
        Decisions(bytes)
    }

    /// Whether the bytes are used up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end.max(1)
    }

    /// One of several.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// At most so many bytes as they are.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        self.0.split_off(..most.min(self.0.len())).unwrap_or_default()
    }

    /// All that is left.
    #[must_use]
    pub fn rest(self) -> &'a [u8] {
        self.0
    }
}
