//! The operations to commute with include the mover itself: `create` commutes with everything except another `create`.

#[state]
pub struct Spool { pub tmp: u64, pub own: Map<Pid, u64>, pub size: u64 }

#[layer]
impl Files for Spool {
    #[op(right)]
    //   ^^^^^ CS0301 right-mover / create
    fn create(&mut self, me: Pid, content: u64) { self.tmp = content; }
    #[op]
    fn resize(&mut self, me: Pid, size: u64) -> u64 {
        let before = self.size;
        self.size = size;
        before
    }
}
