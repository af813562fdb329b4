//! A procedure's knowledge is about the state before the other process's step: a delivery of the file to be read must have come before the
//! listing.

#[scalar]
pub struct Name(u64);
#[scalar]
pub struct Text(String);

#[state]
pub struct Folder { pub files: Map<Name, Text>, pub picked: Option<Name> }

#[layer]
impl Steps for Folder {
    #[op]
    fn pick(&mut self, me: Pid) -> Name {
        let name: Name = any();
        when(self.files.contains(&name));
        self.picked = Some(name);
        name
    }
    #[op]
    fn read(&mut self, me: Pid, name: Name) -> Text {
        when(self.files.contains(&name));
        self.files[&name].clone()
    }
    #[op]
    fn deliver(&mut self, me: Pid, name: Name, text: Text) {
        self.files.insert(name, text);
    }
}

#[layer(inherit(Steps: deliver))]
impl Whole for Folder {
    #[op]
    fn newest(&mut self, me: Pid) -> Text {
        let name: Name = any();
        when(self.files.contains(&name));
        self.picked = Some(name);
        self.files[&name].clone()
    }
}

#[implement(Whole, over = Steps, by = movers, pass(deliver))]
impl PickThenRead {
    fn newest(lo: &mut impl Steps) -> Text {
        let name = lo.pick();
        //         ^^^^^^^^^ CS0310 shape
        lo.read(name)
    }
}
