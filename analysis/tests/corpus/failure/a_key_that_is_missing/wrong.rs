//! `map[&key]` panics if the key is missing.

#[state]
pub struct Table { pub rows: Map<Pid, u64> }

#[layer]
impl Rows for Table {
    #[op]
    fn read(&mut self, me: Pid) -> u64 { self.rows[&me] }
//                                       ^^^^^^^^^^^^^^ CS0702 no-panic
}
