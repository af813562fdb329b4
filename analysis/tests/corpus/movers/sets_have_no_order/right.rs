//! A listing is a set, which does not show the order in which its entries were created. A sequence does.

#[scalar]
pub struct Name(u64);

#[state]
pub struct Folder { pub names: Set<Name>, pub order: Seq<Name> }

#[layer]
impl Files for Folder {
    #[op(both)]
    fn create(&mut self, me: Pid, name: Name) { self.names.insert(name); }
}
