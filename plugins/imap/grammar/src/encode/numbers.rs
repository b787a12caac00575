//! Numbers, and sets of them.

use crate::ranges::RangeSet;

/// A decimal number.
pub fn number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// `1:3,5`. An empty set writes nothing, which is no `sequence-set`: leave the whole item out then.
pub fn set(out: &mut Vec<u8>, set: &RangeSet) {
    for (place, &(first, last)) in set.as_slice().iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        range(out, first, last);
    }
}

fn range(out: &mut Vec<u8>, first: u32, last: u32) {
    number(out, first);
    if last != first {
        out.push(b':');
        number(out, last);
    }
}

/// Writes numbers as a set while they come, in their order: only neighbours that ascend by one are joined. So it also
/// suits `COPYUID`, whose two sets tell by their order which message became which.
#[derive(Debug)]
pub struct SetWriter<'a> {
    out: &'a mut Vec<u8>,
    open: Option<(u32, u32)>,
    written: bool,
}

impl<'a> SetWriter<'a> {
    /// Writes behind what is in `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        SetWriter { out, open: None, written: false }
    }

    /// The next number.
    pub fn push(&mut self, number: u32) {
        match &mut self.open {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => {
                self.flush();
                self.open = Some((number, number));
            }
        }
    }

    /// Writes what is still held back. Whether there was any number at all.
    pub fn finish(mut self) -> bool {
        self.flush();
        self.written
    }

    fn flush(&mut self) {
        let Some((first, last)) = self.open.take() else {
            return;
        };
        if self.written {
            self.out.push(b',');
        }
        self.written = true;
        range(self.out, first, last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(numbers: &[u32]) -> String {
        let mut out = b"x".to_vec();
        let mut writer = SetWriter::new(&mut out);
        numbers.iter().for_each(|&n| writer.push(n));
        assert_eq!(writer.finish(), !numbers.is_empty());
        String::from_utf8(out).unwrap().split_off(1)
    }

    #[test]
    fn neighbours_join() {
        assert_eq!(written(&[1, 2, 3, 5]), "1:3,5");
        assert_eq!(written(&[7]), "7");
        assert_eq!(written(&[]), "");
        assert_eq!(written(&[5, 4, 3]), "5,4,3");
        assert_eq!(written(&[u32::MAX - 1, u32::MAX, 1]), "4294967294:4294967295,1");
    }

    proptest! {
        #[test]
        fn both_writers_agree(numbers in prop::collection::btree_set(1u32..300, 0..80)) {
            let ascending: Vec<u32> = numbers.into_iter().collect();
            let ranges: RangeSet = ascending.iter().copied().collect();
            let mut out = Vec::new();
            set(&mut out, &ranges);
            prop_assert_eq!(String::from_utf8(out).unwrap(), written(&ascending));
        }
    }
}
