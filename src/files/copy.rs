//! A file's edited text, written out: the kept pieces of the original with the
//! new ones between them. The system copies the kept ones by itself, where it
//! can without reading them into this process. A large file is on its way to the
//! disk while the rest is still being copied, so that the sync at the end finds
//! little to do.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::text::splice::{Piece, Splice, pieces};

/// How many octets are copied at a time, and on their way to the disk while the next are.
const PART: u64 = 8 << 20;

/// Writes the edited text of a file.
///
/// # Errors
///
/// When reading or writing fails, or the original is shorter than it was.
pub fn copy_pieces(original: &File, splices: &[Splice], out: &File) -> io::Result<()> {
    let length = original.metadata()?.len();
    if splices.is_empty() {
        // Some file systems share what is the same from the first octet on.
        (&*original).seek(SeekFrom::Start(0))?;
        let copied = io::copy(&mut &*original, &mut &*out)?;
        return if copied < length {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(())
        };
    }
    thread::scope(|scope| {
        let (written, parts) = mpsc::channel();
        let sync = move || sync_early(out, &parts);
        // Where there is no thread to be had, the sync at the end does it all.
        let early = (length > PART)
            .then(|| thread::Builder::new().spawn_scoped(scope, sync).ok())
            .flatten();
        let copied = copy(original, splices, length, out, written);
        // An error that the early sync is told of, the last one is not told again.
        let synced = early.map_or(Ok(()), |early| {
            early.join().unwrap_or(Err(io::ErrorKind::Other.into()))
        });
        copied.and(synced)
    })
}

fn copy(
    original: &File,
    splices: &[Splice],
    length: u64,
    mut out: &File,
    written: Sender<()>,
) -> io::Result<()> {
    for piece in pieces(splices, length) {
        match piece {
            Piece::New(text) => out.write_all(text)?,
            Piece::Kept(start, end) => {
                let mut kept = original;
                kept.seek(SeekFrom::Start(start))?;
                let mut at = start;
                while at < end {
                    let wanted = (end - at).min(PART);
                    if io::copy(&mut kept.take(wanted), &mut out)? < wanted {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    at += wanted;
                    if wanted == PART {
                        // Nobody listens any more when syncing failed; its error is reported at the end.
                        let _ = written.send(());
                    }
                }
            }
        }
    }
    Ok(())
}

/// Syncs what there is whenever a part has been written, until all are.
fn sync_early(out: &File, parts: &Receiver<()>) -> io::Result<()> {
    while parts.recv().is_ok() {
        // One sync does for all parts that are there by now.
        while parts.try_recv().is_ok() {}
        out.sync_data()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splice(start: u64, end: u64, text: &str) -> Splice {
        Splice {
            start,
            end,
            text: text.into(),
            line: 1,
        }
    }

    /// The bytes that are written for a text of `length` octets, and those that should be.
    fn both(length: usize, splices: &[Splice]) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let text: Vec<u8> = (0..length).map(|at| b"0123456789a"[at % 11]).collect();
        let (mut original, mut out) = (tempfile::tempfile()?, tempfile::tempfile()?);
        original.write_all(&text)?;
        copy_pieces(&original, splices, &out)?;
        let mut written = Vec::new();
        out.rewind()?;
        out.read_to_end(&mut written)?;
        let mut expected = text.clone();
        for splice in splices.iter().rev() {
            expected.splice(
                splice.start as usize..splice.end as usize,
                splice.text.iter().copied(),
            );
        }
        Ok((written, expected))
    }

    #[test]
    fn what_is_written_is_the_text_with_its_splices() -> io::Result<()> {
        let edits = [
            splice(3, 5, "serial"),
            splice(9, 9, "record"),
            splice(9, 12, ""),
        ];
        for length in [
            12,
            PART as usize,
            PART as usize + 10,
            PART as usize * 2 + 77,
        ] {
            let (written, expected) = both(length, &edits)?;
            assert!(written == expected, "{length} octets");
        }
        let (written, expected) = both(100, &[])?;
        assert_eq!(written, expected);
        let (written, expected) = both(0, &[splice(0, 0, "all")])?;
        assert_eq!(written, expected);
        Ok(())
    }

    #[test]
    fn an_original_that_became_shorter_is_an_error() -> io::Result<()> {
        let (mut original, out) = (tempfile::tempfile()?, tempfile::tempfile()?);
        original.write_all(b"short")?;
        let (written, _) = mpsc::channel();
        let copied = copy(&original, &[splice(1, 1, "x")], 9, &out, written);
        assert_eq!(
            copied.map_err(|error| error.kind()),
            Err(io::ErrorKind::UnexpectedEof)
        );
        Ok(())
    }
}
