//! Interning: small numbers for large values; equal values get equal numbers.

use std::{hash::Hash, hash::Hasher as _, rc::Rc};

use rustc_hash::{FxHashMap, FxHasher};

/// The index of an interned value.
pub(super) type Id = u32;

/// Assigns equal numbers to equal values.
pub(super) struct Interner<T> {
    items: Vec<Rc<T>>,
    ids: FxHashMap<Rc<T>, Id>,
}

impl<T: Hash + Eq> Interner<T> {
    pub(super) fn new() -> Interner<T> {
        Interner { items: Vec::new(), ids: FxHashMap::default() }
    }

    pub(super) fn intern(&mut self, item: T) -> Id {
        if let Some(id) = self.ids.get(&item) {
            return *id;
        }
        let (id, item) = (self.items.len() as Id, Rc::new(item));
        self.items.push(item.clone());
        self.ids.insert(item, id);
        id
    }

    pub(super) fn get(&self, id: Id) -> &Rc<T> {
        &self.items[id as usize]
    }
}

/// Rows of numbers of equal length, in one piece of memory; equal rows are stored once.
pub(super) struct Rows {
    width: usize,
    cells: Vec<u32>,
    /// By hash: the upper half of the hash and the number of the row plus one; 0 is free. With the half of the hash, rows that differ are
    /// seldom compared. The length is a power of two.
    table: Vec<u64>,
    len: usize,
}

impl Rows {
    pub(super) fn new(width: usize) -> Rows {
        Rows { width, cells: Vec::new(), table: vec![0; 64], len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, id: Id) -> &[u32] {
        &self.cells[id as usize * self.width..][..self.width]
    }

    /// The number of a row, and whether it is new.
    pub(super) fn intern(&mut self, row: &[u32]) -> (Id, bool) {
        debug_assert_eq!(row.len(), self.width);
        if (self.len + 1) * 4 > self.table.len() * 3 {
            self.grow();
        }
        let hash = hash(row);
        let tag = hash & TAG;
        let mut at = self.start(hash);
        loop {
            match self.table[at] {
                0 => break,
                entry if entry & TAG == tag && self.get((entry & !TAG) as Id - 1) == row => {
                    return ((entry & !TAG) as Id - 1, false);
                }
                _ => at = (at + 1) & (self.table.len() - 1),
            }
        }
        self.cells.extend_from_slice(row);
        self.len += 1;
        self.table[at] = tag | self.len as u64;
        (self.len as u32 - 1, true)
    }

    /// Where the search for a row begins.
    fn start(&self, hash: u64) -> usize {
        hash as usize & (self.table.len() - 1)
    }

    fn grow(&mut self) {
        self.table = vec![0; self.table.len() * 2];
        for id in 0..self.len {
            let hash = hash(self.get(id as u32));
            let mut at = self.start(hash);
            while self.table[at] != 0 {
                at = (at + 1) & (self.table.len() - 1);
            }
            self.table[at] = hash & TAG | (id as u64 + 1);
        }
    }
}

/// The upper half of a hash. The search for a row begins at the lower one.
const TAG: u64 = !0 << 32;

fn hash(row: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    for cell in row {
        hasher.write_u32(*cell);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_have_equal_numbers() {
        let mut rows = Rows::new(2);
        for _ in 0..2 {
            for number in 0..1_000 {
                assert_eq!(rows.intern(&[number / 10, number % 10]).0, number);
            }
        }
        assert_eq!(rows.len(), 1_000);
        assert_eq!(rows.get(421), [42, 1]);
        assert!(!rows.intern(&[42, 1]).1 && rows.intern(&[42, 10]).1);
    }
}
