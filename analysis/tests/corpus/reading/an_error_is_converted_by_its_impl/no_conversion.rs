//! There is no `impl From` for the error.

#[state]
pub enum Refusal { Full, Taken(u8) }

#[state]
pub enum Problem { None, Busy, Refused(Refusal) }

impl Problem {
    fn refused(refusal: Refusal) -> Problem { Problem::Refused(refusal) }
}

impl From<u8> for Problem {
    fn from(_: u8) -> Problem { Problem::Busy }
}

#[state]
pub struct Cell { pub owner: Option<u8> }

impl Cell {
    fn free(&self) -> Result<(), Refusal> {
        match self.owner {
            Some(owner) => Err(Refusal::Taken(owner)),
            None => Ok(()),
        }
    }
}

#[layer]
impl Low for Cell {
    #[op]
    fn acquire(&mut self, me: Pid, by: u8) -> Result<(), Problem> {
        self.free()?;
//      ^^^^^^^^^^^^ CS0102
        self.owner = Some(by);
        Ok(())
    }
}

#[layer]
impl Up for Cell {
    #[op]
    fn acquire(&mut self, me: Pid, by: u8) -> Result<(), Problem> {
        if let Some(owner) = self.owner { return Err(Problem::refused(Refusal::Taken(owner))); }
        self.owner = Some(by);
        Ok(())
    }
}

#[implement(Up, over = Low, by = movers, pass(acquire))]
impl Same {}
