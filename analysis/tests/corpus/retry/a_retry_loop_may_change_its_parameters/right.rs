//! A parameter that a turn changes is carried over like any other variable.

#[state]
pub struct Cell { pub value: u64 }

#[layer]
impl Tries for Cell {
    #[op]
    fn try_set(&mut self, me: Pid, value: u64) -> bool {
        if maybe() { return false; }
        self.value = value;
        true
    }
}

#[layer]
impl Sets for Cell {
    #[op]
    fn set(&mut self, me: Pid, value: u64) { self.value = value; }
}

#[implement(Sets, over = Tries, by = retry)]
impl Retry {
    fn set(lo: &mut impl Tries, mut value: u64) {
        loop {
            if lo.try_set(value) { return; }

        }
    }
}
