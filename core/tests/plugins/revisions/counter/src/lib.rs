//! An interface of a third party, in two revisions, as its author would publish it: each revision is a file that never changes
//! again. For tests.

dovetail_sdk::declares_interfaces!();

pub mod bent;
pub mod talk;
pub mod v1;
pub mod v2;
