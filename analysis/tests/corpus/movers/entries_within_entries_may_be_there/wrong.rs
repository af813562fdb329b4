//! That an entry within an entry is not there does not say that the outer one is not there.

#[scalar]
pub struct Name(pub String);

#[state]
pub struct Room { pub stamp: u64, pub members: Set<Pid> }

#[state]
pub struct Club { pub rooms: Map<Name, Room> }

#[layer]
impl Steps for Club {
    #[op]
    fn lacks(&mut self, me: Pid, name: Name) -> Option<u64> {
        if !self.rooms.contains(&name) { return None; }
        if self.rooms[&name].members.contains(&me) { return None; }
        Some(self.rooms[&name].stamp)
    }
    #[op]
    fn stamp(&mut self, me: Pid, name: Name) -> Option<u64> {
        if !self.rooms.contains(&name) { return None; }
        Some(self.rooms[&name].stamp)
    }
    #[op]
    fn bump(&mut self, me: Pid, name: Name) {
        if self.rooms.contains(&name) {
            let mut room = self.rooms[&name].clone();
            room.stamp += 1;
            self.rooms.insert(name, room);
        }
    }
}

#[layer(inherit(Steps: bump))]
impl Whole for Club {
    #[op]
    fn look(&mut self, me: Pid, name: Name) -> u64 { 0 }
}

#[implement(Whole, over = Steps, by = movers, pass(bump))]
impl Look {
    fn look(lo: &mut impl Steps, name: Name) -> u64 {
        if let Some(a) = lo.lacks(name.clone()) {
        //               ^^^^^^^^^^^^^^^^^^^^^^ CS0307 shape
            if let Some(b) = lo.stamp(name) {
                if a != b { return 1; }
            }
        }
        0
    }
}
