//! A call is judged with its arguments: one operation both acquires and releases a lock.

#[state]
pub struct Lock { pub owner: Option<Pid>, pub x: u64 }

#[layer]
impl Cells for Lock {
    #[op]
    fn cell(&mut self, me: Pid, take: bool) {
        if take {
            when(self.owner.is_none());
            self.owner = Some(me);
        } else {
            when(self.owner == Some(me));
            self.owner = None;
        }
    }
    #[op]
    fn write(&mut self, me: Pid, value: u64) {
        when(self.owner == Some(me));
        self.x = value;
    }
}

#[layer]
impl Whole for Lock {
    #[op]
    fn set(&mut self, me: Pid, value: u64) {
        when(self.owner.is_none());
        self.x = value;
    }
}

#[implement(Whole, over = Cells, by = movers)]
impl TakeAndFree {
    fn set(lo: &mut impl Cells, value: u64) {
        lo.cell(true);
        lo.write(value);
        lo.cell(false);
        lo.cell(true);
    //  ^^^^^^^^^^^^^ CS0310 shape
        lo.cell(false);
    }
}
