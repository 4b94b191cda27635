//! Where the text of a zone comes from: numbered files that can be read at any
//! offset. The edge gives real files, tests give texts, and the proof gives
//! files with splices applied. The main file has number 0.

use std::cell::RefCell;
use std::io;

/// Files that make up one zone.
pub trait Library {
    /// Reads octets of a file from an offset on; 0 means the end.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Finds the file that an `$INCLUDE` names. The same file gets the same number.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    fn include(&self, path: &[u8]) -> io::Result<usize>;

    /// What to call the file in messages.
    fn label(&self, file: usize) -> String;
}

/// Texts in memory, each with its name.
#[derive(Debug, Default)]
pub struct Texts {
    files: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Texts {
    /// A zone of one text.
    #[must_use]
    pub fn one(label: &str, text: impl Into<Vec<u8>>) -> Self {
        Self::of([(label.to_owned(), text.into())])
    }

    /// A zone of several texts, the main one first.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self {
            files: RefCell::new(files.into_iter().collect()),
        }
    }
}

impl Library for Texts {
    fn read_at(&self, file: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let files = self.files.borrow();
        let text = files.get(file).map_or(&[][..], |(_, text)| text);
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|at| text.get(at..))
            .unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn include(&self, path: &[u8]) -> io::Result<usize> {
        let files = self.files.borrow();
        let found = files.iter().position(|(label, _)| label.as_bytes() == path);
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn label(&self, file: usize) -> String {
        self.files
            .borrow()
            .get(file)
            .map_or_else(String::new, |(label, _)| label.clone())
    }
}

/// Reads one stretch of a file whole.
///
/// # Errors
///
/// When the file cannot be read, or ends before the stretch does.
pub fn read_span(library: &dyn Library, file: usize, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let too_long = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut text = vec![0; usize::try_from(end.saturating_sub(start)).map_err(too_long)?];
    let mut at = 0;
    while at < text.len() {
        match library.read_at(file, start + at as u64, &mut text[at..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => at += count,
        }
    }
    Ok(text)
}
