//! If no initial state is within the scope, nothing is known about those beyond it.

#[state]
pub struct Items { pub items: Seq<u64> }

#[layer]
impl Low for Items {
    #[init]
    fn start(&self) -> bool { self.items.len() == 5 }
    #[op]
    fn clear(&mut self, me: Pid) { self.items = Seq::new(); }
}

#[layer(inherit(Low: init, clear))]
impl High for Items {}

#[implement(High, over = Low, by = movers, pass(clear))]
impl Passed {}
//   ^^^^^^ CS0906 initial
