//! The operation above does not look at the right one if the left one is too small.

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
        None
    }
}

#[implement(Up, over = Low, by = movers)]
impl Either {
    fn above(lo: &mut impl Low, limit: u64) -> Option<u64> {
//     ^^^^^ CS0307 atomic-spec
        match lo.both() {
            (Some(it), _) | (_, Some(it)) if it > limit => Some(it),
            _ => None,
        }
    }
}
