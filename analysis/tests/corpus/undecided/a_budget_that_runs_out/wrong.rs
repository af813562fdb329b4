//! An obligation that needs more steps than the budget allows is undecided.
//!
//! budget: 400

#[state]
pub struct Flags { pub a: bool, pub b: bool, pub c: bool, pub d: bool, pub e: bool, pub f: bool, pub g: bool, pub h: bool }

#[layer]
impl Toss for Flags {
    #[op]
    fn toss(&mut self, me: Pid) {
//     ^^^^ CS0901 no-panic
        self.a = maybe();
        self.b = maybe();
        self.c = maybe();
        self.d = maybe();
        self.e = maybe();
        self.f = maybe();
        self.g = maybe();
        self.h = maybe();
    }
}
