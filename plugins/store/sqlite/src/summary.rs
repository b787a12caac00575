//! Summaries of messages, made while they come in: their structure and envelope, in the form of the SDK's
//! [`mime`](dovetail_mail::mime).

use std::sync::Arc;

use dovetail_mail::mime::{Limits, Scanner};
use dovetail_mailstore::{Summarise, Summariser};

/// What the store makes its summaries with.
pub(crate) fn summarise() -> Summarise {
    // The limits that whoever makes a missing summary uses too.
    Arc::new(|| Box::new(Structure(Scanner::new(&Limits::default()))))
}

struct Structure(Scanner);

impl Summariser for Structure {
    fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finish().encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dovetail_mail::mime::Summary;

    #[test]
    fn a_summary_tells_the_structure_of_a_message_in_pieces() {
        let message = b"Subject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n";
        let mut making = summarise()();
        message.chunks(7).for_each(|piece| making.push(piece));
        let summary = Summary::decode(&making.finish()).unwrap();
        assert_eq!((summary.size(), summary.parts().len()), (message.len() as u64, 3));
        assert_eq!(summary.envelope().subject.as_deref(), Some(&b"hi"[..]));
    }
}
