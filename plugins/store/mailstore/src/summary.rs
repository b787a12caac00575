//! Summaries of bodies: something short that is made while a body comes in and read instead of it afterwards. What is in
//! them is up to who makes them. A body without one is as good: its reader makes one from the body. Bound:
//! [`MAX_SUMMARY_BYTES`].

use std::sync::Arc;

use crate::limits::MAX_SUMMARY_BYTES;

/// Makes the summary of one body.
pub trait Summariser: Send {
    /// Takes the body's next bytes.
    fn push(&mut self, bytes: &[u8]);

    /// The summary; empty if there is none.
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// Begins the summary of a body.
pub type Summarise = Arc<dyn Fn() -> Box<dyn Summariser> + Send + Sync>;

/// The summary to keep, if one is made that isn't too long.
pub(crate) fn finish(summariser: Option<Box<dyn Summariser>>) -> Option<Arc<[u8]>> {
    let summary = summariser?.finish();
    (1..=MAX_SUMMARY_BYTES).contains(&summary.len()).then(|| summary.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Long(usize);
    impl Summariser for Long {
        fn push(&mut self, bytes: &[u8]) {
            self.0 += bytes.len();
        }
        fn finish(self: Box<Self>) -> Vec<u8> {
            vec![7; self.0]
        }
    }

    #[test]
    fn only_what_fits_is_kept() {
        let made = |bytes: usize| finish(Some(Box::new(Long(bytes)))).map(|summary| summary.len());
        assert_eq!((made(0), made(1)), (None, Some(1)));
        assert_eq!((made(MAX_SUMMARY_BYTES), made(MAX_SUMMARY_BYTES + 1)), (Some(MAX_SUMMARY_BYTES), None));
        assert!(finish(None).is_none());
    }
}
