//! What opens encrypted inputs here: little work, so that many of them are tried in a second.

/// The password of the corpus.
pub const PASSWORD: &[u8] = b"sesame";
/// The most rounds of password hashing for one input; the corpus is made with `-iter 50`.
pub const ROUNDS: u64 = 1000;
