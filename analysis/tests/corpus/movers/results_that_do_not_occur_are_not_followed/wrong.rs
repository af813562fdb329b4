//! A path that no run takes does not count: `never` returns only `false`.

#[state]
pub struct Light { pub on: bool }

#[layer]
impl Steps for Light {
    #[op]
    fn set(&mut self, me: Pid, on: bool) { self.on = on; }
    #[op]
    fn again(&mut self, me: Pid) -> bool { maybe() }
}

#[layer]
impl Whole for Light {
    #[op]
    fn set(&mut self, me: Pid, on: bool) { self.on = on; }
}

#[implement(Whole, over = Steps, by = movers)]
impl Once {
    fn set(lo: &mut impl Steps, on: bool) {
        let again = lo.again();
        lo.set(on);
        if again {
            lo.set(on);
    //      ^^^^^^^^^^ CS0310 shape
        }
    }
}
