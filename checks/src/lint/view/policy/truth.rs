//! What is known of a statement.

/// Whether something holds, as far as the inventory tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not.
    No,
    /// What would tell is not in the inventory.
    Unknown,
    /// It does.
    Yes,
}

impl Truth {
    /// Both.
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// One of both at least.
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// All of them; of nothing it holds.
    pub fn all(each: impl IntoIterator<Item = Self>) -> Self {
        each.into_iter().fold(Self::Yes, Self::and)
    }

    /// Any of them; of nothing it does not hold.
    pub fn any(each: impl IntoIterator<Item = Self>) -> Self {
        each.into_iter().fold(Self::No, Self::or)
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}
