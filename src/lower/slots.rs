//! Hands out runs of consecutive workspace slots and takes them back, first fit.

pub struct Slots {
    /// Free runs (first, count) in ascending order, never touching each other.
    free: Vec<(u32, u32)>,
    next: u32,
}

impl Slots {
    /// Slots `0..reserved` are never handed out.
    pub fn new(reserved: u32) -> Slots {
        Slots { free: Vec::new(), next: reserved }
    }

    pub fn take(&mut self, count: u32) -> u32 {
        if count == 0 {
            return self.next;
        }
        if let Some(place) = self.free.iter().position(|run| run.1 >= count) {
            let run = &mut self.free[place];
            let first = run.0;
            *run = (first + count, run.1 - count);
            if run.1 == 0 {
                self.free.remove(place);
            }
            return first;
        }
        self.next += count;
        self.next - count
    }

    pub fn give(&mut self, first: u32, count: u32) {
        if count == 0 {
            return;
        }
        let place = self.free.partition_point(|run| run.0 < first);
        self.free.insert(place, (first, count));
        if let Some(&(next, more)) = self.free.get(place + 1)
            && first + count == next
        {
            self.free[place].1 += more;
            self.free.remove(place + 1);
        }
        if place > 0 {
            let (before, length) = self.free[place - 1];
            if before + length == first {
                self.free[place - 1].1 += self.free[place].1;
                self.free.remove(place);
            }
        }
    }

    /// Slots behind all others, for as long as the image.
    pub fn take_new(&mut self, count: u32) {
        self.next += count;
    }

    /// The most slots in use at any time.
    pub fn most(&self) -> u32 {
        self.next
    }
}
