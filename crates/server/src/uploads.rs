//! Pictures that were handed in to search with. They stay in memory, by the hash of their bytes, until newer ones need the
//! room; nothing of them is written anywhere.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of all of them together.
const ROOM: usize = 128 << 20;

/// The bytes of a file that was handed in.
pub(crate) type Bytes = Arc<Vec<u8>>;

/// The pictures, the one that was used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<VecDeque<(String, Bytes)>>);

impl Uploads {
    /// Keeps a file and returns its name here.
    pub(crate) fn keep(&self, bytes: Vec<u8>) -> String {
        let name = blake3::hash(&bytes).to_hex()[..32].to_owned();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(other, _)| *other != name);
        kept.push_back((name.clone(), Arc::new(bytes)));
        let mut size: usize = kept.iter().map(|(_, bytes)| bytes.len()).sum();
        while size > ROOM && kept.len() > 1 {
            size -= kept.pop_front().map_or(0, |(_, bytes)| bytes.len());
        }
        name
    }

    /// The file with this name, if it is still here.
    pub(crate) fn get(&self, name: &str) -> Option<Bytes> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(other, _)| other == name)?;
        let used = kept.remove(at)?;
        let bytes = Arc::clone(&used.1);
        kept.push_back(used);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let uploads = Uploads::default();
        let third = |byte: u8| vec![byte; ROOM / 3];
        let [first, second, _] = [1, 2, 3].map(|byte| uploads.keep(third(byte)));
        assert!(uploads.get(&first).is_some(), "used, so the second is the oldest now");
        uploads.keep(third(4));
        assert!(uploads.get(&first).is_some() && uploads.get(&second).is_none());
    }
}
