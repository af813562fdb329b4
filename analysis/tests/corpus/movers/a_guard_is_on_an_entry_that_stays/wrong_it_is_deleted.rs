//! Rows are deleted, too. A row that is created anew has the version of the old one, and another text.

#[scalar]
pub struct Id(pub u64);

#[scalar]
pub struct Text(pub u64);

#[state]
pub struct Row { pub text: Text, pub version: u64 }

#[state]
pub struct Table { pub rows: Map<Id, Row> }

#[layer]
impl Sql for Table {
    #[op]
    fn select(&mut self, me: Pid, id: Id) -> Option<Row> { self.rows.get(&id).cloned() }
    #[op]
    fn update(&mut self, me: Pid, id: Id, version: u64, text: Text) -> bool {
        let Some(row) = self.rows.get_mut(&id) else { return false; };
        if row.version != version { return false; }
        row.text = text;
        row.version += 1;
        true
    }
    #[op]
    fn create(&mut self, me: Pid, id: Id, text: Text) -> bool {
        if self.rows.contains(&id) { return false; }
        self.rows.insert(id, Row { text, version: 0 });
        true
    }
    #[op]
    fn delete(&mut self, me: Pid, id: Id) { self.rows.remove(&id); }
}

#[layer(inherit(Sql: create, delete))]
impl Texts for Table {
    #[op]
    fn swap(&mut self, me: Pid, id: Id, text: Text) -> Option<Text> {
        let row = self.rows.get_mut(&id)?;
        row.version += 1;
        let old = row.text.clone();
        row.text = text;
        Some(old)
    }
}

#[implement(Texts, over = Sql, by = movers, pass(create, delete))]
impl Optimistic {
    fn swap(lo: &mut impl Sql, id: Id, text: Text) -> Option<Text> {
        loop {
            let row = lo.select(id.clone())?;
            if lo.update(id.clone(), row.version, text.clone()) { return Some(row.text); }
//             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CS0310 shape
        }
    }
}
