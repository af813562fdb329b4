//! `create` does not note that the name is in use now: two processes may be given the same.

#[scalar]
pub struct Item(pub String);

#[scalar]
pub struct Key(pub u64);

#[state]
pub struct Store { pub keys: Set<Key>, pub items: Map<Key, Item> }

#[layer]
impl Memory for Store {
    #[op]
    fn create(&mut self, me: Pid) -> Key {
        let key: Key = any();
        when(!self.keys.contains(&key));
        key
    }
    #[op]
    fn write(&mut self, me: Pid, key: Key, item: Item) { self.items.insert(key, item); }
    #[op]
    fn read(&mut self, me: Pid, key: Key) -> Option<Item> { self.items.get(&key).cloned() }
}

#[layer]
impl Database for Store {
    #[op]
    fn insert(&mut self, me: Pid, item: Item) -> Option<Item> {
        let key: Key = any();
        when(!self.keys.contains(&key));
        self.items.insert(key, item.clone());
        Some(item)
    }
}

#[implement(Database, over = Memory, by = movers)]
impl Rows {
    fn insert(lo: &mut impl Memory, item: Item) -> Option<Item> {
        let key = lo.create();
        lo.write(key.clone(), item);
//      ^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0307 shape
        lo.read(key)
    }
}
