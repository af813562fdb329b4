//! The guard of an arm is tried with each alternative of its pattern.

#[state]
pub struct Pair { pub left: Option<u64>, pub right: Option<u64> }

#[layer]
impl Low for Pair {
    #[op]
    fn both(&mut self, me: Pid) -> (Option<u64>, Option<u64>) { (self.left, self.right) }
}

#[layer]
impl Up for Pair {
    #[op]
    fn above(&mut self, me: Pid, limit: u64) -> Option<u64> {
        let Some(left) = self.left else { return self.right.filter(|it| *it > limit) };
        if left > limit { return Some(left); }
        self.right.filter(|it| *it > limit)
    }
}

#[implement(Up, over = Low, by = movers)]
impl Either {
    fn above(lo: &mut impl Low, limit: u64) -> Option<u64> {
        match lo.both() {
            (Some(it), _) | (_, Some(it)) if it > limit => Some(it),
            _ => None,
        }
    }
}
