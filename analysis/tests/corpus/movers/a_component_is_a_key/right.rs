//! A tag that is in use differs from every new one: so as long as it is the same, the document is.

#[scalar]
pub struct Tag(pub String);

#[state]
pub struct Doc { pub likes: u64, pub tag: Tag, pub used: Set<Tag> }

#[layer]
impl Http for Doc {
    #[init]
    fn new(&self) -> bool { self.used.contains(&self.tag) }
    #[op]
    fn get(&mut self, me: Pid) -> (u64, Tag) { (self.likes, self.tag.clone()) }
    #[op]
    fn put(&mut self, me: Pid, likes: u64, if_match: Tag) -> bool {
        if if_match != self.tag { return false; }
        let tag: Tag = any();
        when(!self.used.contains(&tag));
        self.used.insert(tag.clone());
        self.tag = tag;
        self.likes = likes;
        true
    }
}

#[layer(inherit(Http: init))]
impl Likes for Doc {
    #[op]
    fn like(&mut self, me: Pid) -> u64 {
        let tag: Tag = any();
        when(!self.used.contains(&tag));
        self.used.insert(tag.clone());
        self.tag = tag;
        self.likes += 1;
        self.likes
    }
}

#[implement(Likes, over = Http, by = movers)]
impl Client {
    fn like(lo: &mut impl Http) -> u64 {
        loop {
            let (likes, tag) = lo.get();
            if lo.put(likes + 1, tag) { return likes + 1; }
        }
    }
}
