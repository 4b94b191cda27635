//! The stretch of a file that is in memory: as much as a logical line needs,
//! and no more of a small file than it has.

use crate::zone::text::reader::Reader;

/// How much of a file is read at a time, in octets.
pub(super) const WINDOW: usize = 256 << 10;

/// How much is read at first.
const FIRST_READ: usize = 16 << 10;

impl Reader<'_> {
    /// Makes the window hold at least a logical line's worth from `offset`, if the file has it.
    pub(super) fn fill(&mut self, file: usize, offset: u64, wanted: usize) -> std::io::Result<()> {
        if let Some((held, start, last)) = self.holds
            && held == file
            && let Some(at) = offset
                .checked_sub(start)
                .and_then(|at| usize::try_from(at).ok())
            && at <= self.window.len()
            && (last || at < self.window.len())
        {
            return Ok(());
        }
        let mut filled = 0;
        let mut last = false;
        // Grows with what is there: most files are much smaller than the window.
        let mut room = self.window.len().max(FIRST_READ).min(wanted);
        while filled < wanted {
            self.window.resize(room, 0);
            match self
                .library
                .read_at(file, offset + filled as u64, &mut self.window[filled..])?
            {
                0 => {
                    last = true;
                    break;
                }
                count => filled += count,
            }
            if filled == room {
                room = (room * 4).min(wanted);
            }
        }
        self.window.truncate(filled);
        self.holds = Some((file, offset, last));
        Ok(())
    }

    /// The text from `offset` on that the window holds, and whether the file ends with it.
    pub(super) fn ahead(&self, offset: u64) -> (&[u8], bool) {
        let Some((_, start, last)) = self.holds else {
            return (&[], true);
        };
        let at = offset
            .checked_sub(start)
            .and_then(|at| usize::try_from(at).ok());
        (at.and_then(|at| self.window.get(at..)).unwrap_or(&[]), last)
    }
}
