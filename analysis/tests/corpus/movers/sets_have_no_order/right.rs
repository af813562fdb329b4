//! A listing is a set: in which order its entries were made cannot be told. Of a sequence it can.

#[scalar]
pub struct Name(u64);

#[state]
pub struct Folder { pub names: Set<Name>, pub order: Seq<Name> }

#[layer]
impl Files for Folder {
    #[op(both)]
    fn create(&mut self, me: Pid, name: Name) { self.names.insert(name); }
}
