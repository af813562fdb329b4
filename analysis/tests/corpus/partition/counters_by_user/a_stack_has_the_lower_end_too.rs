//! The upper end of a partition needs the lower end below it.

#[scalar]
pub struct User(String);
#[state]
pub struct One { pub count: u64, pub locked: bool }
#[state]
pub struct Table { pub counts: Map<User, u64>, pub locks: Map<User, bool> }
#[state]
pub struct All { pub ones: Map<User, One> }

#[layer]
impl Counter for One {
    #[init]
    fn init(&self) -> bool { self.count == 0 && !self.locked }
    #[op]
    fn set(&mut self, me: Pid, count: u64) { self.count = count; }
    #[op]
    fn get(&mut self, me: Pid) -> u64 { self.count }
    #[op]
    fn lock(&mut self, me: Pid) { when(!self.locked); self.locked = true; }
}

#[layer]
impl Store for Table {
    #[init]
    fn init(&self) -> bool { self.counts.values().all(|it| *it == 0) && self.locks.values().all(|it| !*it) }
    #[op]
    fn put(&mut self, me: Pid, user: User, count: u64) {
        when(self.locks.contains(&user));
        self.counts.insert(user, count);
    }
    #[op]
    fn look(&mut self, me: Pid, user: User) -> u64 { self.counts.get(&user).copied().unwrap_or(0) }
    #[op]
    fn take(&mut self, me: Pid, user: User) {
        when(self.locks.get(&user) == Some(&false));
        self.locks.insert(user, true);
    }
    #[op]
    fn is_there(&mut self, me: Pid, user: User) -> bool { self.locks.contains(&user) }
}
#[implement(Counter, over = Store, by = partition(user), check = is_there)]
impl Split {
    #[abstraction]
    fn slice(lo: &Table, user: &User) -> Option<One> {
        let locked = *lo.locks.get(user)?;
        Some(One { count: lo.counts.get(user).copied().unwrap_or(0), locked })
    }
    fn set(lo: &mut impl Store, user: User, count: u64) { lo.put(user, count); }
    fn get(lo: &mut impl Store, user: User) -> u64 { lo.look(user) }
    fn lock(lo: &mut impl Store, user: User) { lo.take(user); }
}


#[layer(inherit(Counter in ones[user: User]: init, set, get, lock))]
impl Counters for All {
    #[op]
    fn knows(&mut self, me: Pid, user: User) -> bool { maybe() && self.ones.contains(&user) }
}
#[implement(Counters, over = Counter, by = partition(user), check = knows, pass(set, get, lock))]
impl ByUser {}

#[stack]
pub type Whole<T> = ByUser<T>;
//                  ^^^^^^ CS0208 links
